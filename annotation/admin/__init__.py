"""The admin: every row visible to those who manage its study, nothing written but through services."""

from annotation.admin import background, consistency, images, ledger, models, people, studies, truth, work

__all__ = ["background", "consistency", "images", "ledger", "models", "people", "studies", "truth", "work"]
