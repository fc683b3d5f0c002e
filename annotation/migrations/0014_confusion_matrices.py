"""Each annotator's newest confusion matrix in a row of its own.

A submit needs the matrices of the few who answered. In a study of many people and classes the whole snapshot is half a
megabyte of JSON, and unpacking it took longer than everything else in the transaction.
"""

import django.db.models.deletion
from django.db import migrations, models

SPREAD = """
CREATE FUNCTION concord_spread_matrices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM annotation_confusionmatrix m USING annotation_reliabilitysnapshot s
        WHERE m.snapshot_id = s.id AND s.study_id = NEW.study_id AND s.protocol_id = NEW.protocol_id
        AND s.number < NEW.number;
    INSERT INTO annotation_confusionmatrix (snapshot_id, pseudonym, rows, is_drifting)
        SELECT NEW.id, c.key, c.value, coalesce(jsonb_typeof(r.value -> 'drift') NOT IN ('null'), false)
        FROM jsonb_each(NEW.confusion) c LEFT JOIN jsonb_each(NEW.reliability) r ON r.key = c.key
        WHERE NOT EXISTS (SELECT 1 FROM annotation_reliabilitysnapshot s WHERE s.study_id = NEW.study_id
                          AND s.protocol_id = NEW.protocol_id AND s.number > NEW.number);
    RETURN NULL;
END $$;
CREATE TRIGGER concord_spread_matrices AFTER INSERT ON annotation_reliabilitysnapshot
    FOR EACH ROW EXECUTE FUNCTION concord_spread_matrices();
INSERT INTO annotation_confusionmatrix (snapshot_id, pseudonym, rows, is_drifting)
    SELECT s.id, c.key, c.value, false
    FROM (SELECT DISTINCT ON (study_id, protocol_id) id, confusion FROM annotation_reliabilitysnapshot
          ORDER BY study_id, protocol_id, number DESC) s, jsonb_each(s.confusion) c;
"""

UNDO = """
DROP TRIGGER concord_spread_matrices ON annotation_reliabilitysnapshot;
DROP FUNCTION concord_spread_matrices();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0013_planted_checks")]

    operations = [
        migrations.CreateModel(
            name="ConfusionMatrix",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pseudonym", models.CharField(max_length=20)),
                ("rows", models.JSONField(help_text="(K, K) rows: truth, columns: answer.")),
                ("is_drifting", models.BooleanField(default=False)),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="matrices",
                        to="annotation.reliabilitysnapshot",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "confusion matrices",
                "constraints": [
                    models.UniqueConstraint(fields=("snapshot", "pseudonym"), name="one_matrix_per_snapshot_and_person")
                ],
            },
        ),
        migrations.RunSQL(SPREAD, UNDO),
    ]
