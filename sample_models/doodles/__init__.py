"""Doodle world: endless drawn images of composed things. Parts are shared between classes, so a net must learn
edges, then parts (eyes, wheels, windows, petals), then things."""

from sample_models.doodles.draw import CLASSES, SIZE, draw

__all__ = ["CLASSES", "SIZE", "draw"]
