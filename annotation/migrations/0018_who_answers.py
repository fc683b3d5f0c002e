"""Begun regions that are worth less than any new one wait behind them, where a study's policy has it so."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0017_domain_watch")]

    operations = [
        migrations.RemoveIndex(model_name="pick", name="pick_queue"),
        migrations.AddField(
            model_name="pick",
            name="gain",
            field=models.FloatField(
                blank=True, help_text="What the next answer is worth (`services.worth`).", null=True
            ),
        ),
        migrations.AddField(
            model_name="pick",
            name="is_deferred",
            field=models.BooleanField(default=False, help_text="Begun, and worth less than any new region: waits."),
        ),
        migrations.AddIndex(
            model_name="pick",
            index=models.Index(
                fields=["study", "is_deferred", "-has_begun", "batch_number", "rank"],
                condition=models.Q(slots_open__gt=0, state="open"),
                name="pick_queue",
            ),
        ),
    ]
