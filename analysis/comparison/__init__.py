"""Two models side by side: which layers belong together, and how their channels differ."""
