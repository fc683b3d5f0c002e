"""A release's labels in the formats that other programs open: COCO, QuPath's GeoJSON, Croissant, a citation.

A module a format: content in, bytes out, the same bytes for the same content.
"""
