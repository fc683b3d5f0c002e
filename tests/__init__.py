"""Tests, by package; `studies` converts sample data into study folders."""
