"""Blood smears that never were: slides with a planted truth for demonstrations and tests at any size.

Nothing here is a model of disease; it decides what a believable smear looks like and refuses to know who
labels it.
"""
