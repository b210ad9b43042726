"""Opening a model in the browser: where files come from, what is in them, what an atlas of them will cost."""
