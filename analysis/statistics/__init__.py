"""What every channel of every layer does on the probe: mergeable accumulators, one pass over the images."""
