"""The real images that excite each channel most, least and like most images do."""
