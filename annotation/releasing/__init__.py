"""A release as a folder of files: what stood at a ledger position, tables, manifest, datasheet, and their check.

Plain values in, bytes out; needs no database, so that anyone who holds the folder can check it.
"""
