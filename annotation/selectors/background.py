"""Models and jobs of a study, for its managers.

Decides what belongs to the study; refuses to start anything.
"""

from django.db.models import QuerySet

from annotation.errors import Missing
from annotation.models import Job, ModelVersion, Study

BY_HAND = "asked for by a manager"


def models(study: Study) -> QuerySet[ModelVersion]:
    """The study's model versions with their training sets."""
    return ModelVersion.objects.filter(study=study).select_related("training_set")


def model(*, study: Study, number: int) -> ModelVersion:
    """A model version by its number; Missing where the study has none such."""
    found = models(study).filter(number=number).first()
    if found is None:
        raise Missing(f"The study has no model {number}.")
    return found


def jobs(study: Study) -> QuerySet[Job]:
    """The study's background work."""
    return Job.objects.filter(study=study)


def job(*, study: Study, pk: int) -> Job:
    """A job of the study; Missing where it has none such."""
    found = jobs(study).filter(pk=pk).first()
    if found is None:
        raise Missing("The study has no such job.")
    return found
