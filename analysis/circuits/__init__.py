"""How channels are wired: which channels of neighbouring layers excite or inhibit each, and how strongly."""
