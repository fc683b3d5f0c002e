"""The append-only hash chain of everything that changed the truth, its head and its anchors."""

from django.db import models

from annotation.models.study import Study


class LedgerEntry(models.Model):
    """One link: `digest` = SHA-256 of the previous digest and the canonical payload. Never changed."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="ledger_entries")
    position = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=40)
    payload = models.TextField(help_text="Canonical JSON, byte for byte what was hashed.")
    previous_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "ledger entries"
        ordering = ["study", "position"]
        constraints = [
            # With the moment and the kind beside it, a position is found for a moment without reading a payload.
            models.UniqueConstraint(
                fields=["study", "position"], include=["created_at", "kind"], name="one_entry_per_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} #{self.position} {self.kind}"


class LedgerHead(models.Model):
    """The last position and digest of a study's chain; locked last in every transaction that appends."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, primary_key=True, related_name="ledger_head")
    position = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.study.slug} #{self.position}"


class LedgerAnchor(models.Model):
    """A note that the head was carried outside (file, printout, mail); the proof is the outside copy."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="anchors")
    position = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    place = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "position"]

    def __str__(self) -> str:
        return f"{self.study.slug} #{self.position} in {self.place}"
