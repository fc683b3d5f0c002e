#!/usr/bin/env python
"""Concord's command line; starts the embedded engines when no other engines are named."""

import os
import sys

WITHOUT_ENGINES = {
    "help",
    "makemigrations",
    "check",
    "collectstatic",
    "fetch_assets",
    "verify_release",
    "spectacular",
    "version",
}


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    asks_help = {"-h", "--help"} & set(sys.argv)
    if command not in WITHOUT_ENGINES and not asks_help:
        start_engines()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def start_engines() -> None:
    """Start the embedded engines unless the environment names both others."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    from project import embedded

    try:
        embedded.ensure()
    except embedded.EngineError as error:
        sys.exit(f"The embedded engines could not be started: {error}")


if __name__ == "__main__":
    main()
