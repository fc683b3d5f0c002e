"""An annotator learns nothing of other opinions: two studies that differ in what others did give the same bytes.

Every address of the site is walked, from the resolver, and every step of the work is taken in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from annotation.models import Assignment, Membership, ModelVersion, Pick, Region, Slide, Study, TrainingSet
from annotation.services import queue, truth
from annotation.states import AssignmentState, ModelState, Role
from tests import factories
from tests.annotation.api.scene import write_picture

pytestmark = pytest.mark.django_db

# What stands nowhere but in the others' work and in the model's; short enough to be found within anything.
SECRETS = ("blurred-says-ben", "0.8731", "0.7713", "ben-the-colleague", "cleo-the-third", "mia-the-manager", "mia-says")
CLASSES = ("neutrophil", "lymphocyte", "monocyte")
# A token, a moment, a csrf token: random or the clock's, in either study.
RANDOM = (
    re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?"),
    re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
    re.compile(r"\b[0-9a-f]{32,64}\b"),
    re.compile(r"(?<![\w-])[\w-]{22}(?![\w-])"),
    re.compile(r"\b[A-Za-z0-9]{64}\b"),
)


@dataclass
class Twin:
    """One of the two studies, as its annotator meets it."""

    study: Study
    annotator: Membership
    regions: list[Region]
    client: Client

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, ...]:
        """Status, headers and body of an answer, without what is random in either study."""
        data = {} if body is None else {"data": body, "content_type": "application/json"}
        response = getattr(self.client, method)(path, headers=headers, **data)
        content = b"".join(response) if response.streaming else response.content
        if response.get("Content-Type", "").startswith(("image/", "application/x-tar")):
            text = content.hex()
        else:
            text = self.plain(content.decode())
        shown = {name: self.plain(value) for name, value in response.headers.items() if name != "Content-Length"}
        return response.status_code, shown, text

    def json(self, method: str, path: str, body: Any = None) -> Any:
        return getattr(self.client, method)(self.api(path), body, content_type="application/json").json()

    def api(self, path: str) -> str:
        return f"/api/studies/{self.study.slug}/{path}"

    def plain(self, text: str) -> str:
        text = text.replace(self.study.slug, "STUDY").replace(self.annotator.user.get_username(), "ANNOTATOR")
        for pattern in RANDOM:
            text = pattern.sub("RANDOM", text)
        return text


@pytest.fixture
def twins(settings, tmp_path) -> tuple[Twin, Twin]:
    settings.STORE = tmp_path / "store"
    settings.WHITENOISE_AUTOREFRESH = True
    return build("twin-a", busy=False), build("twin-b", busy=True)


def build(slug: str, *, busy: bool) -> Twin:
    """Eight regions of which the annotator has answered two, skipped one and holds one; `busy`: others worked too."""
    policy = {"planted_check_rate": 0.0, "min_overlap": 3, "max_overlap": 5, "undo_minutes": 60.0}
    study = factories.study(secret="7a" * 32, policy=policy, slug=slug, name="Twins", codes=CLASSES)
    slide = factories.slide(
        study, checksum="ab" * 32, width=320, height=256, levels=[[320, 256, 1.0]], vendor="image",
        stored_name=f"slides/ab/{'ab' * 32}.png",
    )  # fmt: skip
    write_picture(slide)
    regions = [factories.region(slide, x=index % 4 * 64, y=index // 4 * 64) for index in range(8)]
    batch = factories.pick(regions[0], slots=3).batch
    for region in regions[1:6]:
        factories.pick(region, slots=3, batch=batch)
    names = ("ana", "ben-the-colleague", "cleo-the-third", "mia-the-manager")
    roles = (Role.ANNOTATOR, Role.ANNOTATOR, Role.ANNOTATOR, Role.MANAGER)
    people = [
        factories.member(study, role, username=f"{name}-{slug[-1]}", email="")
        for name, role in zip(names, roles, strict=True)
    ]
    if busy:
        others_work_before(study, people)
    own_work(people[0])
    if busy:
        others_work_after(study, people, regions)
    client = Client()
    client.force_login(people[0].user)
    return Twin(study=study, annotator=people[0], regions=regions, client=client)


def others_work_before(study: Study, people: list[Membership]) -> None:
    """A colleague answers five regions, a model is trained on it and knows every pick."""
    for _ in range(5):
        answer(people[1], "monocyte", comment=SECRETS[0])
    training_set = TrainingSet.objects.create(
        study=study, digest="1" * 64, revision_ids=[], protocol=study.protocol, created_at=timezone.now()
    )
    ModelVersion.objects.create(
        study=study, number=1, digest="2" * 64, state=ModelState.ACTIVE, training_set=training_set,
        configuration_digest="c", encoder="colour-texture", encoder_digest="e", class_codes=list(CLASSES),
        numbers={"macro_f1": 0.8731}, created_at=timezone.now(), activated_at=timezone.now(),
    )  # fmt: skip
    parts = {"predicted": "monocyte", "top": 0.8731, "margin": 0.7713}
    Pick.objects.filter(study=study).update(parts=parts, score=0.7713, reason="0.8731 sure")


def own_work(member: Membership) -> None:
    answer(member, "neutrophil")
    answer(member, "lymphocyte", comment="mine", seconds=3.0)
    lease = queue.claim(member=member)
    assert lease is not None
    queue.skip(member=member, token=lease.token, reason="blurred")
    lease = queue.claim(member=member)
    assert lease is not None
    content = {"answer": {"kind": "class", "label": "monocyte"}, "comment": "half", "flagged": False}
    queue.save_entered(member=member, token=lease.token, content=content, version=lease.entered_version)


def others_work_after(study: Study, people: list[Membership], regions: list[Region]) -> None:
    """A third person answers what the annotator has answered, and a manager decides against it."""
    for _ in range(2):
        answer(people[2], "monocyte", comment=SECRETS[0])
    truth.decide(member=people[3], region=regions[0], answer={"kind": "class", "label": "monocyte"}, reason="mia-says")


def answer(member: Membership, label: str, **fields: Any) -> None:
    lease = queue.claim(member=member)
    assert lease is not None
    queue.submit(
        member=member, token=lease.token, answer={"kind": "class", "label": label},
        idempotency_key=f"key-{lease.region.index}", **fields,
    )  # fmt: skip


def addresses(twin: Twin) -> list[str]:
    """Every address of the site, for each of the regions where it takes one; values of other kinds are made up."""
    held = twin.json("post", "queue/claim/", {})["lease"]
    found = []
    for template, names in templates(get_resolver()):
        for region in twin.regions if "region" in names else twin.regions[:1]:
            values = {
                "slug": twin.study.slug, "region": region.public_id, "slide": region.slide.public_id, "number": 1,
                "level": 9, "column": 0, "row": 0, "panel": "progress", "token": held["token"], "name": "labels.csv",
                "member": "A2", "finding": 1, "job": 1, "app_label": "annotation", "object_id": 1, "id": 1,
                "content_type_id": 1, "url": "x", "path": "x",
            }  # fmt: skip
            found.append("/" + template % {name: values.get(name, "x") for name in names})
    return sorted(set(found))


def templates(node: URLResolver, before: str = "", names: tuple[str, ...] = ()) -> list[tuple[str, list[str]]]:
    """The address of every route, with places to fill in."""
    found: list[tuple[str, list[str]]] = []
    for child in node.url_patterns:
        text, own = normal(child)
        if isinstance(child, URLPattern):
            found.append((before + text, [*names, *own]))
        else:
            found += templates(child, before + text, (*names, *own))
    return found


def normal(pattern: URLPattern | URLResolver) -> tuple[str, list[str]]:
    """A route as a %-template and the names in it."""
    text = str(pattern.pattern).replace("%", "%%")
    if "(?P" in text or text.startswith("^"):
        text = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", text.strip("^$")).replace("\\Z", "").replace("\\.", ".")
        text = re.sub(r"\[[^\]]*\]\*", "x", text)
    names = re.findall(r"<(?:\w+:)?(\w+)>", text)
    return re.sub(r"<(?:\w+:)?(\w+)>", r"%(\1)s", text), names


def test_every_address_gives_both_annotators_the_same_bytes(twins: tuple[Twin, Twin]) -> None:
    quiet, busy = twins
    seen = 0
    for one, other in zip(addresses(quiet), addresses(busy), strict=True):
        first, second = quiet.ask("get", one), busy.ask("get", other)
        assert first == second, f"{one} tells what others did"
        leaked = [secret for secret in SECRETS if secret in second[2]]
        assert not leaked, f"{other} shows {leaked}"
        seen += first[0] == 200
    assert seen > 25, "The walk has lost its way: nearly everything is closed."


def test_an_unchanged_page_is_as_unchanged_for_either(twins: tuple[Twin, Twin]) -> None:
    """What others do moves no ETag, so that polling tells nothing either."""
    quiet, busy = twins
    paths = ["queue/", "queue/answers/", "examples/", ""]
    tags = {path: busy.client.get(busy.api(path)).headers.get("ETag") for path in paths}
    cleo = Membership.objects.get(study=busy.study, user__username__startswith="cleo")
    answer(cleo, "neutrophil")
    region = busy.regions[3]
    truth.decide(
        member=Membership.objects.get(study=busy.study, role=Role.MANAGER), region=region,
        answer={"kind": "class", "label": "monocyte"}, reason="mia-says",
    )  # fmt: skip
    assert {path: busy.client.get(busy.api(path)).headers.get("ETag") for path in paths} == tags
    assert quiet.ask("get", quiet.api("queue/")) == busy.ask("get", busy.api("queue/"))


def test_every_step_of_the_work_answers_both_alike(twins: tuple[Twin, Twin]) -> None:
    transcripts = [work(twin) for twin in twins]
    for (step, first), (_, second) in zip(*transcripts, strict=True):
        assert first == second, f"{step} tells what others did"
        assert not [secret for secret in SECRETS if secret in second[2]], step
    assert [answered[0] for _, answered in transcripts[0]] == [
        200, 200, 200, 409, 200, 200, 409, 200, 404, 409, 200, 200, 204, 204, 200, 404, 404, 404
    ]  # fmt: skip


def work(twin: Twin) -> list[tuple[str, tuple[Any, ...]]]:
    """What an annotator does in an hour: each step with its answer."""
    held = twin.json("post", "queue/claim/", {})["lease"]
    token, label = held["token"], {"kind": "class", "label": "neutrophil"}
    draft = {"token": token, "content": {"answer": label, "comment": "", "flagged": False}}
    given = {"token": token, "answer": label, "idempotency_key": "hour-1", "seconds": 2.0}
    steps: list[tuple[str, tuple[Any, ...]]] = []

    def take(method: str, path: str, body: Any = None) -> None:
        steps.append((f"{method} {path} {body}", twin.ask(method, twin.api(path), body)))

    take("post", "queue/claim/", {})
    take("post", "queue/renew/", {"token": token})
    take("put", "queue/draft/", {**draft, "version": held["entered_version"]})
    take("put", "queue/draft/", {"token": token, "content": {"comment": "another tab"}, "version": 0})
    take("post", "queue/submit/", given)
    take("post", "queue/submit/", given)
    take("post", "queue/submit/", {**given, "idempotency_key": "hour-2"})
    take("post", "queue/undo/", {"token": token, "idempotency_key": "hour-3"})
    take("post", "queue/undo/", {"token": "nothing", "idempotency_key": "hour-4"})
    take("put", "queue/draft/", {**draft, "version": 0})
    take("post", "queue/claim/", {"count": 3})
    tokens = [lease["token"] for lease in twin.json("post", "queue/claim/", {"count": 3})["leases"]]
    take("get", "queue/orders/")
    take("post", "queue/skip/", {"token": tokens[0], "reason": "blurred"})
    take("post", "queue/release/", {"tokens": tokens[1:]})
    take("get", "queue/")
    take("post", f"regions/{twin.regions[0].public_id}/decide/", {"answer": label, "reason": "mine"})
    take("post", f"regions/{twin.regions[0].public_id}/restore/", {"number": 1, "reason": "mine"})
    take("post", f"regions/{twin.regions[0].public_id}/send-back/", {"reason": "mine"})
    return steps


@pytest.mark.parametrize("kind", ["gold", "repeat", "sway", "verify"])
def test_a_check_looks_like_any_other_region_at_every_step(settings, tmp_path, kind: str) -> None:
    """The second twin's lease is a check: of gold, of itself, of how far a suggestion sways, or of the whole set."""
    settings.STORE = tmp_path / "store"
    plain, checked = build("twin-a", busy=False), build("twin-b", busy=False)
    for twin in (plain, checked):
        factories.gold(twin.regions[7], label="monocyte")
        held = Assignment.objects.filter(study=twin.study, state=AssignmentState.LEASED)
        factories.gold(held.get().region, label="monocyte")
        held.update(suggestion="lymphocyte")
        if twin is checked:
            held.update(kind=kind, pick=None, suggestion_is_planted=kind == "sway")
    for (step, first), (_, second) in zip(work(plain), work(checked), strict=True):
        assert first == second, f"{step} tells a check"
    pages = ("queue/", "queue/answers/")
    assert [plain.ask("get", plain.api(page)) for page in pages] == [
        checked.ask("get", checked.api(page)) for page in pages
    ]


def test_own_answers_are_told_as_given_whatever_became_the_truth(twins: tuple[Twin, Twin]) -> None:
    """The second twin's first region was decided against the annotator, who must not learn it from the own history."""
    _, busy = twins
    labels = [row["answer"]["label"] for row in busy.json("get", "queue/answers/")["results"]]
    assert sorted(labels) == ["lymphocyte", "neutrophil"]
    assert Region.objects.get(pk=busy.regions[0].pk).current_revision.label == "monocyte"
    assert Slide.objects.filter(study=busy.study).count() == 1
