"""Files that ought to be in the store and are not: features of another encoder's time, features and scores deleted.

Decides what is computed again before work goes on; refuses to repeat what failed by itself: that waits for a person.
"""

from django.db.models import QuerySet

from annotation.models import EncoderVersion, Job, Slide, Study
from annotation.services import networks
from annotation.states import LIVE_JOBS, JobKind, JobState, SlideState
from learning.features import Encoder
from workers import bridge


def renew_features(study: Study, *, encoder: Encoder, version: EncoderVersion | None = None) -> int:
    """Have lost or outdated features computed again; how many slides have to be waited for.

    New slides are under way by themselves, and nobody waits for them. `version`: where `encoder` is a learned one.
    """
    embedding = _jobs(study, version)
    busy_or_failed = set(embedding.exclude(state=JobState.DONE).values_list("key", flat=True))
    whole = [shard.slide_id for shard in bridge.read_shards(study, encoder_digest=encoder.digest)]
    tiled = Slide.objects.filter(study=study, state=SlideState.TILED).exclude(pk__in=whole)
    for public_id in tiled.order_by("public_id").values_list("public_id", flat=True):
        if networks.embedding_key(public_id, version) not in busy_or_failed:
            networks.embed(study=study, public_id=public_id, version=version, again=True)
    return embedding.filter(state__in=LIVE_JOBS, payload__again=True).count()


def _jobs(study: Study, version: EncoderVersion | None) -> QuerySet[Job]:
    embedding = Job.objects.filter(study=study, kind=JobKind.EMBED_SLIDE)
    if version is None:
        return embedding.exclude(payload__has_key="encoder")
    return embedding.filter(payload__encoder=version.number)
