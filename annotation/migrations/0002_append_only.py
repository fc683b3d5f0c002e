"""Refuse UPDATE, DELETE and TRUNCATE on append-only rows."""

from django.db import migrations

APPEND_ONLY = [
    "annotation_annotation",
    "annotation_groundtruthrevision",
    "annotation_ledgerentry",
    "annotation_release",
    "annotation_releaseitem",
    "annotation_passitem",
]

REFUSE = """
CREATE FUNCTION concord_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused. Write a new row that names its parent.',
        TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def _triggers() -> str:
    statements = [REFUSE]
    for table in APPEND_ONLY:
        statements.append(
            f"CREATE TRIGGER refuse_row_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION concord_refuse_change();"
            f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION concord_refuse_change();"
        )
    return "\n".join(statements)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]
    operations = [migrations.RunSQL(_triggers(), migrations.RunSQL.noop)]
