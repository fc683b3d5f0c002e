"""The drawn study after a week of work: every state that a screen can show, by the services that people use.

Decides what has happened. `text` is written wherever a person can write, so that it can be markup.
"""

from __future__ import annotations

import itertools

from annotation.models import Domain, Pick
from annotation.services import examples, queue, releases, reviewing
from annotation.states import AssignmentKind, Stratum
from tests.browser import dashboards, planted
from tests.browser.smear import Smear

POLICY = {"min_overlap": 2, "max_overlap": 2, "show_suggestions": False}
"""A second answer that differs hands the region to the adjudicators."""


def fill(smear: Smear, *, text: str = "The nucleus is blurred.", agreed: int = 14, disagreed: int = 4) -> None:
    """Answers, ties, a skip, a region sent back, examples, models, two passes and a release."""
    Pick.objects.filter(study=smear.study).update(stratum=Stratum.RANDOM)
    label_all(smear, agreed=agreed, disagreed=disagreed, text=text)
    adjudicate_one(smear, text=text)
    give_examples(smear, text=text)
    dashboards.add_models(smear)
    dashboards.add_jobs(smear)
    release_once(smear, text=text)
    send_one_back(smear, text=text)
    skip_one(smear, text=text)
    planted.run_pass(smear)


def label_all(smear: Smear, *, agreed: int, disagreed: int, text: str) -> None:
    """Two people agree on the first regions and differ on the next, each with something to say now and then."""
    wrong = itertools.cycle(smear.codes)
    for place in range(agreed + disagreed):
        truth = smear.regions[place].known_truth.label
        other = truth if place < agreed else next(code for code in wrong if code != truth)
        smear.answer(smear.annotator, truth, seconds=4.0 + place % 5, comment=text if place % 4 == 0 else "")
        smear.answer(
            smear.colleague, other, seconds=6.0, flagged=place % 6 == 5, comment=text if place % 5 == 0 else ""
        )


def adjudicate_one(smear: Smear, *, text: str) -> None:
    lease = queue.claim(member=smear.adjudicator, kind=AssignmentKind.ADJUDICATE)
    assert lease is not None
    queue.submit(
        member=smear.adjudicator, token=lease.token, idempotency_key="judged",
        answer={"kind": "class", "label": lease.region.known_truth.label}, reason=text, comment=text,
    )  # fmt: skip


def give_examples(smear: Smear, *, text: str) -> None:
    for region in smear.regions[:3]:
        label = region.known_truth.label
        examples.add(study=smear.study, member=smear.manager, region=region.public_id, label=label, caption=text[:200])


def release_once(smear: Smear, *, text: str) -> None:
    """A pass whose findings are waived, and the release of it."""
    row = planted.run_pass(smear)
    planted.waive_all(smear, row, reason=text)
    releases.freeze(study=smear.study, consistency_pass=row, member=smear.manager)


def send_one_back(smear: Smear, *, text: str) -> None:
    """The annotator answered it: it is in My queue, with the note."""
    reviewing.send_back(region=smear.regions[0], member=smear.manager, reason=text, note=text)


def skip_one(smear: Smear, *, text: str) -> None:
    lease = queue.claim(member=smear.annotator)
    assert lease is not None
    queue.skip(member=smear.annotator, token=lease.token, reason=text[:200])


def write_everywhere(smear: Smear, text: str) -> None:
    """Names of the study, its classes, domains and people, and the definitions, become `text`."""
    study = smear.study
    study.name = f"{text} smear"[:200]
    study.checklist = {"purpose": text}
    study.save()
    protocol = study.current_protocol
    protocol.guideline = text
    protocol.save()
    for label_class in protocol.classes.all():
        label_class.name = f"{label_class.name} {text}"[:120]
        label_class.definition = f"{label_class.definition} {text}"
        label_class.save()
    for domain in Domain.objects.filter(study=study):
        domain.name = f"{domain.name} {text}"[:200]
        domain.values = {key: f"{value} {text}" for key, value in domain.values.items()}
        domain.save()
    for member in (smear.annotator, smear.colleague, smear.adjudicator, smear.manager):
        member.user.first_name = f"{member.user.first_name} {text}"[:150]
        member.user.last_name = text[:150]
        member.user.save()
