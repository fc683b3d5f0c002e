"""Gold becomes rows of its own; a kind of assignment for planted suggestions; tries at the qualification set."""

from django.db import migrations, models
from django.utils import timezone

KINDS = [
    ("label", "Label"),
    ("repeat", "the annotator's own earlier region again"),
    ("gold", "a region with known truth"),
    ("adjudicate", "Adjudicate"),
    ("recheck", "Recheck"),
    ("qualify", "a region of the qualification set"),
    ("verify", "asked blind again, to measure what is still wrong"),
    ("sway", "under a suggestion that is wrong on purpose, to measure how far it sways"),
]


def keep_gold(apps, schema_editor):
    """Each known truth marked as gold becomes gold under the study's first protocol, whose classes a file names."""
    known = apps.get_model("annotation", "KnownTruth")
    gold = apps.get_model("annotation", "Gold")
    first = {}
    for protocol in apps.get_model("annotation", "Protocol").objects.filter(published_at__isnull=False):
        kept = first.setdefault(protocol.study_id, protocol)
        if protocol.number < kept.number:
            first[protocol.study_id] = protocol
    rows = known.objects.filter(is_gold=True, region__study__in=list(first)).select_related("region").order_by("pk")
    now = timezone.now()
    gold.objects.bulk_create(
        (
            gold(
                region_id=row.region_id,
                protocol=first[row.region.study_id],
                label=row.label,
                source="file",
                added_at=now,
            )
            for row in rows.iterator(chunk_size=2000)
        ),
        batch_size=2000,
        ignore_conflicts=True,
    )


def mark_gold(apps, schema_editor):
    known = apps.get_model("annotation", "KnownTruth")
    gold = apps.get_model("annotation", "Gold")
    kept = gold.objects.filter(retired_at=None).values("region")
    known.objects.filter(region__in=kept).update(is_gold=True)


class Migration(migrations.Migration):
    # Rows first, in a transaction of their own: PostgreSQL alters no table with checks that still wait.
    atomic = False

    dependencies = [
        ("annotation", "0010_ground_truth"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="qualification_tries",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="How often this person may take the qualification set."
            ),
        ),
        migrations.AlterField(
            model_name="annotation",
            name="assignment_kind",
            field=models.CharField(choices=KINDS, max_length=20),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="kind",
            field=models.CharField(choices=KINDS, default="label", max_length=20),
        ),
        migrations.RunPython(keep_gold, mark_gold, atomic=True),
        migrations.RemoveField(model_name="knowntruth", name="is_gold"),
    ]
