"""Slides as pixels and rectangles: opening them, finding tissue, tiling, pictures of regions, synthetic
smears.

All geometry is level-0 pixels, origin top left. Nothing here knows studies, people or rows.
"""
