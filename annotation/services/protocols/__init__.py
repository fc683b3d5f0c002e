"""Protocols: a draft that is edited, then a numbered, immutable version of a study's classes.

Drafts, how classes go on (`mappings`), what that would do (`impact`), and doing it (`publishing`).
"""

from annotation.services.protocols.drafts import (
    begin_draft,
    class_plans,
    digest,
    discard_draft,
    draft_of,
    edit_draft,
    save_draft,
)
from annotation.services.protocols.impact import Impact, impact
from annotation.services.protocols.mappings import MappingPlan
from annotation.services.protocols.mappings import read as read_mappings
from annotation.services.protocols.publishing import content, publish_draft, publish_first

__all__ = [
    "Impact",
    "MappingPlan",
    "begin_draft",
    "class_plans",
    "content",
    "digest",
    "discard_draft",
    "draft_of",
    "edit_draft",
    "impact",
    "publish_draft",
    "publish_first",
    "read_mappings",
    "save_draft",
]
