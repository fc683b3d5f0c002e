"""What a person has set for the own screens; nothing here touches the truth."""

from django.conf import settings
from django.db import models


class Preference(models.Model):
    """One person's keys and the explanations that were read and closed."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference")
    keys = models.JSONField(default=dict, blank=True, help_text='{"single": bool, "own": {action: [key, ...]}}')
    explained = models.JSONField(default=list, blank=True, help_text="Names of explanations that were closed.")

    def __str__(self) -> str:
        return f"preferences of {self.user}"
