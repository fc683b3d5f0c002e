"""Examples of the classes: regions that managers show to everybody, with a caption.

Decides which regions are examples under the protocol in force; refuses to choose them.
"""

from django.db.models import QuerySet

from annotation.models import ClassExample, Region, Study


def of_study(study: Study) -> QuerySet[ClassExample]:
    """The examples of the protocol in force, in the order of its classes."""
    rows = ClassExample.objects.filter(label_class__protocol=study.protocol_id)
    return rows.select_related("label_class", "region__slide").order_by("label_class__position", "id")


def is_example(region: Region, *, study: Study) -> bool:
    """Whether the region's pixels are open to every member."""
    return ClassExample.objects.filter(region=region, label_class__protocol=study.protocol_id).exists()
