"""The work itself: one module per kind of job, each with `run(job, report)`."""
