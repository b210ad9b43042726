"""Small trained models that ship with Strata, the images they were trained on, and the scripts that trained them."""
