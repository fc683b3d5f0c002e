"""Settings of the test run: engines, store and secret key of their own below `test` in this user's var folder."""

import os
from pathlib import Path

from project.places import var_folder

# The browser's files are fetched once, by set-up.
os.environ.setdefault("CONCORD_VENDOR", str(var_folder() / "vendor"))
os.environ.setdefault("CONCORD_VAR", str(var_folder() / "test"))
# Not below the clone, which may be another user's.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(os.environ["CONCORD_VAR"]) / "hypothesis"))

from project.settings import *  # noqa: F403

# Files come from their sources; a folder that is there saves whitenoise a warning.
STATIC_ROOT = BASE_DIR / "annotation" / "static"  # noqa: F405
STORE = Path(os.environ["CONCORD_VAR"]) / f"store-{os.getpid()}"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **CELERY_BROKER_TRANSPORT_OPTIONS,  # noqa: F405
    # Nobody listens in most tests: what they send stays apart from other runs.
    "global_keyprefix": f"concord-test-{os.getpid()}:",
}
LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {"PIL": LOGGING["loggers"]["PIL"]}}  # noqa: F405
