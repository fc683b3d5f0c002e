import json
import subprocess
import sys

from tests.architecture.tree import REPOSITORY

HEAVY = ["celery", "cleanlab", "onnxruntime", "pandas", "skimage", "sklearn", "torch", "project", "workers"]

# Settings of its own: the project's bring Celery along, because the web process publishes events.
IMPORT_ALL = """
import importlib, json, pkgutil, sys
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="for this import only",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.sessions", "django.contrib.messages", "django.contrib.postgres",
        "rest_framework", "rest_framework.authtoken", "drf_spectacular", "annotation",
    ],
)
django.setup()
import annotation
names = [module.name for module in pkgutil.walk_packages(annotation.__path__, "annotation.")]
for name in names:
    importlib.import_module(name)
print(json.dumps({"imported": names, "loaded": [name for name in sys.argv[1:] if name in sys.modules]}))
"""


def test_importing_all_of_annotation_loads_nothing_heavy():
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *HEAVY],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert "annotation.models" in report["imported"]
    assert "annotation.services" in report["imported"]
    assert report["loaded"] == []
