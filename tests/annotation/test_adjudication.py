"""What an adjudicator sees, and that nobody judges the own answers or looks in from elsewhere."""

import pytest
from django.test import Client

from annotation.models import Assignment
from annotation.selectors import adjudication
from annotation.services import queue, reviewing, truth
from annotation.states import PickState, RegionState, Role
from tests import factories
from tests.annotation.answering import answer, submit
from tests.annotation.api import scene as scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(policy={"planted_check_rate": 0.0, "max_skips": 2})


@pytest.fixture
def slide(study):
    return factories.slide(study)


@pytest.fixture
def judge(study):
    return factories.member(study, Role.ADJUDICATOR)


def ask(slide, labels, *, skips=0, **fields):
    """A region that ends before the adjudicators after these answers and skips."""
    study = slide.study
    pick = factories.pick(factories.region(slide), slots=2, overlap=2)
    for number in range(skips):
        shy = factories.member(study)
        queue.skip(member=shy, token=queue.claim(member=shy).token, reason=f"blurred {number}")
    for label in labels:
        submit(factories.member(study), label, **fields)
    pick.refresh_from_db()
    if pick.state == PickState.OPEN:
        truth.escalate(pick=pick)
    return pick


def case_of(judge):
    return adjudication.read(adjudication.held(member=judge, token=queue.claim(member=judge, kind="adjudicate").token))


@pytest.mark.parametrize(
    ("labels", "skips", "state", "said"),
    [
        (("neutrophil", "lymphocyte"), 0, "disagreement", "The answers differ."),
        ((), 2, "unanswered", "2 people skipped it."),
        (("neutrophil",), 2, "incomplete", "Only one answer was given"),
        (("neutrophil",), 0, "incomplete", "Nobody was left to ask."),
    ],
)
def test_incomplete_is_not_shown_as_disagreement(slide, judge, labels, skips, state, said):
    if skips and labels:  # the answer first: enough skips close the queue to others
        pick = factories.pick(factories.region(slide), slots=3, overlap=3)
        submit(factories.member(slide.study), labels[0])
        for number in range(skips):
            shy = factories.member(slide.study)
            queue.skip(member=shy, token=queue.claim(member=shy).token, reason=f"blurred {number}")
        pick.refresh_from_db()
        assert pick.state == PickState.ADJUDICATION
    else:
        ask(slide, labels, skips=skips)
    case = case_of(judge)
    assert case.state == state
    assert any(said in sentence for sentence in case.said), case.said
    assert len(case.skips) == skips
    assert bool(case.posterior) == bool(labels)


def test_agreeing_answers_are_told_apart(slide, judge):
    ask(slide, ("neutrophil", "neutrophil"))
    # Two agreeing opinions settle; a manager sends the region back and the people agree again, once a third is out.
    settled = slide.regions.get()
    manager = factories.member(slide.study, Role.MANAGER)
    reviewing.send_back(region=settled, member=manager, reason="odd", note="Look at the rim.")
    truth.escalate(pick=settled.picks.get(state=PickState.OPEN))
    case = case_of(judge)
    assert (case.state, case.note) == ("agreed", "Look at the rim.")
    assert "A manager asked for it again." in case.said
    assert [one.name for one in case.opinions] == ["A", "B"]


def test_posterior_comes_likeliest_first_with_the_classes_in_question(slide, judge):
    ask(slide, ("neutrophil", "lymphocyte"), flagged=True, comment="<b>hm</b>")
    case = case_of(judge)
    chances = [one.probability for one in case.posterior]
    assert chances == sorted(chances, reverse=True) and sum(chances) == pytest.approx(1.0)
    assert set(case.in_question) >= {"neutrophil", "lymphocyte"}
    assert "Somebody flagged it." in case.said
    assert {one.comment for one in case.opinions} == {"<b>hm</b>"}


def test_neighbours_are_near_settled_regions_neither_gold_nor_answered_by_the_judge(slide, judge):
    study = slide.study
    manager = factories.member(study, Role.MANAGER)
    tie = ask(slide, ("neutrophil", "lymphocyte")).region
    near, gold, own, open_one = (factories.region(slide) for _ in range(4))
    far = factories.region(slide, x=3800, y=2800)
    for row in (near, gold, far):
        truth.decide(region=row, member=manager, answer=answer("monocyte"), reason="Known.")
    factories.gold(gold, label="monocyte")
    factories.pick(own)
    submit(judge)
    submit(factories.member(study))
    own.refresh_from_db()
    assert own.state == RegionState.SETTLED
    case = case_of(judge)
    assert [(one.region, one.label) for one in case.neighbours] == [(near, "monocyte")]
    assert (case.neighbours[0].right, case.neighbours[0].down) == (near.x - tie.x, near.y - tie.y)
    assert open_one.state == RegionState.POOL


def test_nobody_judges_the_own_answers(study, slide, judge):
    factories.pick(factories.region(slide), slots=2, overlap=2)
    submit(judge, "neutrophil")
    submit(factories.member(study), "lymphocyte")
    assert queue.claim(member=judge, kind="adjudicate") is None
    waiting = adjudication.waiting(judge)
    assert (waiting.ready, waiting.not_yours, waiting.is_capped) == (0, 1, False)
    other = factories.member(study, Role.ADJUDICATOR)
    assert adjudication.waiting(other).ready == 1


def test_recent_reasons_are_the_own_ones_each_once(study, slide, judge):
    other = factories.member(study, Role.ADJUDICATOR)
    for number, (who, why) in enumerate([(judge, "Lobes."), (judge, "Rim."), (judge, "Lobes."), (other, "Mine.")]):
        ask(slide, ("neutrophil", "lymphocyte"))
        lease = queue.claim(member=who, kind="adjudicate")
        queue.submit(member=who, token=lease.token, answer=answer(), idempotency_key=f"{number}", reason=why)
    assert adjudication.recent_reasons(judge) == ["Lobes.", "Rim."]


class TestOverHttp:
    @pytest.fixture
    def tie(self, scene):
        """The scene's region with two answers that differ; a second region beside it is settled."""
        scene.region.picks.update(overlap=2)
        for name, label in (("one", "neutrophil"), ("two", "lymphocyte")):
            scene.people[name] = factories.member(scene.study)
            submit(scene.people[name], label)
        beside = factories.region(scene.slide)
        truth.decide(region=beside, member=scene.people["manager"], answer=answer("monocyte"), reason="Known.")
        return beside

    def claim(self, scene, actor="adjudicator"):
        claimed = scene.client(actor).post(f"{scene.base}queue/claim/", {"kind": "adjudicate"}, format="json")
        return claimed.json()["lease"]

    def test_the_case_names_nobody_and_its_neighbours_have_pictures(self, scene, tie):
        token = self.claim(scene)["token"]
        response = scene.client("adjudicator").get(f"{scene.base}queue/adjudication/{token}/")
        assert response.status_code == 200
        case = response.json()
        assert case["state"] == "disagreement"
        for member in scene.people.values():
            assert f'"{member.pseudonym}"' not in response.content.decode()
            assert member.user.username not in response.content.decode()
        picture = case["neighbours"][0]["image"]
        assert tie.public_id in picture
        assert scene.client("adjudicator").get(picture)["Content-Type"] == "image/jpeg"
        other = picture.replace(tie.public_id, scene.region.public_id)
        assert scene.client("adjudicator").get(other).status_code == 404
        for actor in ("annotator", "one", "stranger", "manager", "strange manager"):
            assert scene.client(actor).get(picture).status_code == 404, actor
            assert scene.client(actor).get(f"{scene.base}queue/adjudication/{token}/").status_code == 404, actor

    def test_it_closes_with_the_lease(self, scene, tie):
        lease = self.claim(scene)
        url = f"{scene.base}queue/adjudication/{lease['token']}/"
        picture = scene.client("adjudicator").get(url).json()["neighbours"][0]["image"]
        body = {"answer": answer(), "idempotency_key": "j", "reason": "Lobes."}
        submitted = scene.client("adjudicator").post(
            f"{scene.base}queue/submit/", {"token": lease["token"], **body}, format="json"
        )
        assert submitted.status_code == 200, submitted.json()
        assert scene.client("adjudicator").get(url).status_code == 404
        assert scene.client("adjudicator").get(picture).status_code == 404

    def test_a_second_adjudicator_and_a_lease_to_label_open_no_case(self, scene, tie):
        token = self.claim(scene)["token"]
        scene.people["second"] = factories.member(scene.study, Role.ADJUDICATOR)
        assert scene.client("second").get(f"{scene.base}queue/adjudication/{token}/").status_code == 404
        factories.pick(factories.region(scene.slide))
        labelling = queue.claim(member=scene.people["second"])
        assert labelling.kind == "label"
        assert scene.client("second").get(f"{scene.base}queue/adjudication/{labelling.token}/").status_code == 404

    def test_by_no_url_does_an_adjudicator_reach_the_tie_he_or_she_answered(self, scene):
        judge = scene.people["adjudicator"]
        scene.region.picks.update(overlap=2)
        submit(judge, "neutrophil")
        scene.people["one"] = factories.member(scene.study)
        submit(scene.people["one"], "lymphocyte")
        client, region = scene.client("adjudicator"), scene.region.public_id
        assert self.claim(scene) is None
        many = client.post(f"{scene.base}queue/claim/", {"kind": "adjudicate", "count": 5}, format="json").json()
        assert many["leases"] == []
        own = Assignment.objects.get(annotator=judge)
        assert client.get(f"{scene.base}queue/adjudication/{own.token}/").status_code == 404
        for path in ("", "revisions/", "history/"):
            assert client.get(f"{scene.base}regions/{region}/{path}").status_code == 404
        seen = client.get(f"{scene.base}regions/{region}/annotations/").json()
        assert [row["answer"]["label"] for row in seen] == ["neutrophil"]
        assert client.get(f"{scene.base}queue/adjudication/").json() == {
            "ready": 0, "not_yours": 1, "is_capped": False,
        }  # fmt: skip

    def test_the_page_is_a_fixed_number_of_queries_and_holds_no_case(self, scene, tie, django_assert_num_queries):
        client = Client()
        client.force_login(scene.people["adjudicator"].user)
        with django_assert_num_queries(7):
            page = client.get(f"/admin/studies/{scene.study.slug}/adjudicate/")
        assert scene.region.public_id not in page.content.decode()
        for actor in ("one", "manager", "stranger"):
            client.force_login(scene.people[actor].user)
            assert client.get(f"/admin/studies/{scene.study.slug}/adjudicate/").status_code == 404

    def test_a_case_is_a_fixed_number_of_queries(self, scene, tie, django_assert_num_queries):
        token = self.claim(scene)["token"]
        client = scene.client("adjudicator")
        client.get(f"{scene.base}queue/adjudication/{token}/")
        with django_assert_num_queries(11):
            client.get(f"{scene.base}queue/adjudication/{token}/")


@pytest.fixture
def scene(db, settings, tmp_path):
    settings.STORE = tmp_path / "store"
    settings.WHITENOISE_AUTOREFRESH = True
    return scenes.build()
