"""Scripted people who label a study through the same services or the same HTTP API as real ones.

Decides how such people behave and what is measured of their work; nothing else of Concord knows that they exist.
"""
