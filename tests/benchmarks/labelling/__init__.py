"""How many labels a strategy needs, ours and scikit-activeml's in one run: on digits, and on real cells.

`race` runs strategies over a pool and sums up; `ours` and `rivals` are who takes part; `digits` and `cells` are the
pools. Everybody asks the same model and is judged by the same model on the same held-out rows.
"""
