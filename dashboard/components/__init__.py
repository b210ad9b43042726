"""What Streamlit has no element for: the grid, strips of pictures, gauges, the before-and-after viewer."""
