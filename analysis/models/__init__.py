"""A file on disk → Model: torch module, conv layers, input, fingerprint."""
