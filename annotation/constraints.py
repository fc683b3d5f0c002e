"""Checks foreign keys before a ledger entry locks its head, not at the commit after it.

Decides nothing about rows. A deferred check takes a share lock on each row it finds; taken while the head is held,
that waits for ever for someone who holds the row and wants the head.
"""

from django.db import connection


def check_now() -> None:
    """Check what is deferred in this transaction, and everything from here on at once."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
