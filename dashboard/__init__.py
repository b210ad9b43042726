"""What a person sees. Reads atlases and job rows, files jobs; loads no torch and never runs a model."""
