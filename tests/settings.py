"""Settings of the test run: engines, store and secret key of their own below `var/test`."""

import os
from pathlib import Path

os.environ.setdefault("CONCORD_VAR", str(Path(__file__).resolve().parent.parent / "var" / "test"))

from project.settings import *  # noqa: F403

STORE = Path(os.environ["CONCORD_VAR"]) / f"store-{os.getpid()}"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **CELERY_BROKER_TRANSPORT_OPTIONS,  # noqa: F405
    # Nobody listens in most tests: what they send stays apart from other runs.
    "global_keyprefix": f"concord-test-{os.getpid()}:",
}
LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {"PIL": LOGGING["loggers"]["PIL"]}}  # noqa: F405
