"""What looks wrong in a model: one diagnosis a file, each with its evidence, its null and its cure."""
