from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_dashboard_indexes")]

    operations = [
        migrations.AddIndex(
            model_name="pick",
            index=models.Index(condition=~Q(note=""), fields=["study", "-id"], name="pick_sent_back"),
        ),
    ]
