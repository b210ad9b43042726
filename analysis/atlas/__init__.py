"""The product on disk. This room alone writes and reads it; docs/atlas-format.md says every file and column."""
