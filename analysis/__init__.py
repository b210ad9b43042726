"""Strata's library: from a trained file to an atlas. Knows nothing of screens."""
