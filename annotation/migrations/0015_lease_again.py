import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0014_confusion_matrices"),
    ]

    operations = [
        migrations.AddField(
            model_name="assignment",
            name="withdrawal",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                help_text="Taking an answer back gave its author this lease.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="lease_again",
                to="annotation.annotation",
            ),
        ),
    ]
