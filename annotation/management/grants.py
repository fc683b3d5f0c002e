"""What the application's database role may do: everything on ordinary rows, only SELECT and INSERT on history."""

from django.db.backends.base.base import BaseDatabaseWrapper

APPEND_ONLY = (
    "annotation_annotation",
    "annotation_groundtruthrevision",
    "annotation_ledgerentry",
    "annotation_passitem",
    "annotation_release",
    "annotation_releaseitem",
)


def grant(connection: BaseDatabaseWrapper, *, role: str) -> None:
    """Grant `role` its rights on all tables of the connection's database; run as their owner."""
    name = connection.ops.quote_name(role)
    tables = ", ".join(APPEND_ONLY)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {tables} FROM {name}")
        cursor.execute(f"REVOKE ALL ON django_migrations FROM {name}")
        cursor.execute(f"GRANT SELECT ON django_migrations TO {name}")
