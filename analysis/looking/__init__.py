"""One image through a model: what it answers, which channels and where, and what each layer kept of it."""
