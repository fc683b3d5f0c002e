"""Background work: the only package that knows both Celery and the heavy parts of `learning`."""
