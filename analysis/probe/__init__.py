"""Images → batches. The probe is the set of images that a model is measured on."""
