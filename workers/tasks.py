"""All tasks, as Celery finds them: one for each entry of the catalogue, and those of beat.

Nothing heavy is imported here; a step loads what it needs when it runs.
"""

from celery import current_app

from workers import base, catalogue, schedule

JOB_TASKS = {kind: base.declare(entry) for kind, entry in catalogue.ENTRIES.items()}
TICK = base.declare_periodic(schedule.TICK, schedule.tick)
STAMP = base.declare_periodic(schedule.STAMP, schedule.stamp)

current_app.conf.beat_schedule = schedule.build()
