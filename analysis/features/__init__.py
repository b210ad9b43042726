"""Feature visualization: for each channel, the picture that excites it most."""
