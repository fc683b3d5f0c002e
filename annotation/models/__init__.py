"""The rows, a noun a file."""

from annotation.models.acceptance import AcceptanceItem, AcceptanceSample
from annotation.models.annotation import Annotation, PersonalText
from annotation.models.assignment import Assignment, Draft
from annotation.models.consistency import ConsistencyPass, Finding, PassItem
from annotation.models.door import FailedSignIn
from annotation.models.gold import Gold
from annotation.models.job import Job, WorkerStamp
from annotation.models.ledger import LedgerAnchor, LedgerEntry, LedgerHead
from annotation.models.model import EncoderVersion, FeatureShard, ModelVersion, ScoreFile, TrainingSet
from annotation.models.pick import Pick, SelectionBatch
from annotation.models.preference import Preference
from annotation.models.protocol import ClassExample, ClassMapping, LabelClass, Protocol
from annotation.models.region import KnownTruth, RecordedVote, Region
from annotation.models.release import Release, ReleaseItem
from annotation.models.slide import Case, Domain, Slide
from annotation.models.staging import StagedSlide
from annotation.models.study import Membership, Study
from annotation.models.truth import ConfusionMatrix, GroundTruthRevision, ReliabilitySnapshot

__all__ = [
    "AcceptanceItem",
    "AcceptanceSample",
    "Annotation",
    "Assignment",
    "Case",
    "ClassExample",
    "ClassMapping",
    "ConfusionMatrix",
    "ConsistencyPass",
    "Domain",
    "Draft",
    "EncoderVersion",
    "FailedSignIn",
    "FeatureShard",
    "Finding",
    "Gold",
    "GroundTruthRevision",
    "Job",
    "KnownTruth",
    "LabelClass",
    "LedgerAnchor",
    "LedgerEntry",
    "LedgerHead",
    "Membership",
    "ModelVersion",
    "PassItem",
    "PersonalText",
    "Pick",
    "Preference",
    "Protocol",
    "RecordedVote",
    "Region",
    "Release",
    "ReleaseItem",
    "ReliabilitySnapshot",
    "ScoreFile",
    "SelectionBatch",
    "Slide",
    "StagedSlide",
    "Study",
    "TrainingSet",
    "WorkerStamp",
]
