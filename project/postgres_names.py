"""Names that the embedded PostgreSQL and its clients share, apart so that building a URL imports no driver.

Decides the roles, the database and the URL. Refuses to know whether anything runs.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

SUPER_ROLE = "concord_super"
# Runs the migrations, and may make databases (for tests); no superuser.
OWNER_ROLE = "concord_owner"
# What the application connects as: owns nothing, so it can't lift a trigger.
APP_ROLE = "concord_app"
DATABASE = "concord"
PORT = 5432


def postgres_url(role: str, *, sockets: Path) -> str:
    """The URL of the embedded database for one role; libpq reads the socket's folder from `host`."""
    return f"postgresql://{role}@/{DATABASE}?host={quote(str(sockets), safe='/')}"
