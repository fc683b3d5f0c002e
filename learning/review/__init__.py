"""Looking a finished truth over: likely label errors, near-duplicates, impure regions, what was never offered.

Decides what pixels and features say against labels. Refuses to know studies, rules and what becomes of a doubt.
"""
