"""Whether a domain (lab, scanner, stain, ...) is one that a model has learned from; about slides, not people."""
