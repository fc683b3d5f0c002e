"""Writes, a noun a module. Only services move states; each runs in a transaction of its own."""
