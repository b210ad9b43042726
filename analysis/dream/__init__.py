"""Inceptionism on a person's own image."""
