"""Files that ought to be in the store and are not: features of another encoder's time, features and scores deleted.

Decides what is computed again before work goes on; refuses to repeat what failed by itself: that waits for a person.
"""

from annotation.models import Job, Slide, Study
from annotation.services import jobs
from annotation.states import LIVE_JOBS, JobKind, JobState, SlideState
from learning.features import Encoder
from workers import bridge

AGAIN = {"again": True}


def renew_features(study: Study, *, encoder: Encoder) -> int:
    """Have lost or outdated features computed again; how many slides have to be waited for.

    New slides are under way by themselves, and nobody waits for them.
    """
    embedding = Job.objects.filter(study=study, kind=JobKind.EMBED_SLIDE)
    busy_or_failed = embedding.exclude(state=JobState.DONE).values("key")
    whole = [shard.slide_id for shard in bridge.read_shards(study, encoder_digest=encoder.digest)]
    tiled = Slide.objects.filter(study=study, state=SlideState.TILED).exclude(pk__in=whole)
    for slide in tiled.exclude(public_id__in=busy_or_failed).order_by("public_id"):
        jobs.enqueue(study=study, kind=JobKind.EMBED_SLIDE, key=slide.public_id, payload=AGAIN, again=True)
    return embedding.filter(state__in=LIVE_JOBS, payload__again=True).count()
