"""People, rows, rules and screens. Knows the light parts of `learning`; never torch, scikit-learn or Celery."""
