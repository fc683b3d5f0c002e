import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0006_sent_back_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="is_trained",
            field=models.BooleanField(
                default=False, help_text="Has finished the training that the checklist describes."
            ),
        ),
        migrations.CreateModel(
            name="StagedSlide",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=255)),
                ("case", models.CharField(blank=True, max_length=200)),
                (
                    "domain",
                    models.JSONField(blank=True, default=dict, help_text="Column -> value; may still lack some."),
                ),
                ("checksum", models.CharField(help_text="SHA-256 of the file.", max_length=64)),
                ("stored_name", models.CharField(editable=False, max_length=200)),
                ("size_bytes", models.BigIntegerField()),
                ("width", models.PositiveIntegerField(help_text="Level-0 pixels.")),
                ("height", models.PositiveIntegerField(help_text="Level-0 pixels.")),
                ("levels", models.JSONField(default=list)),
                ("um_per_px_x", models.FloatField(blank=True, null=True)),
                ("um_per_px_y", models.FloatField(blank=True, null=True)),
                ("objective", models.FloatField(blank=True, null=True)),
                ("vendor", models.CharField(max_length=40)),
                ("properties", models.JSONField(default=dict)),
                ("tissue", models.BinaryField(help_text="The mask of its tissue: packed bits, compressed.")),
                ("tissue_width", models.PositiveIntegerField()),
                ("tissue_height", models.PositiveIntegerField()),
                ("tissue_share", models.FloatField()),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="staged_slides", to="annotation.study"
                    ),
                ),
            ],
            options={
                "ordering": ["study", "name"],
                "constraints": [
                    models.UniqueConstraint(fields=("study", "checksum"), name="one_staged_slide_per_checksum"),
                    models.UniqueConstraint(fields=("study", "name"), name="one_staged_slide_per_name"),
                    models.UniqueConstraint(fields=("study", "public_id"), name="one_staged_slide_per_public_id"),
                ],
            },
        ),
    ]
