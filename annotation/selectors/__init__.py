"""Reads, a noun a module. Nothing here writes."""
