import pytest

from annotation.models import Annotation, Assignment, GroundTruthRevision
from annotation.states import AssignmentKind, AssignmentState, Role
from tests import factories

ANSWER = {"kind": "class", "label": "neutrophil"}


def claim(scene, actor="annotator", **body):
    response = scene.client(actor).post(f"{scene.base}queue/claim/", body, format="json")
    assert response.status_code == 200, response.data
    return response.json()["lease"]


def post(scene, path, body, actor="annotator"):
    return scene.client(actor).post(f"{scene.base}queue/{path}/", body, format="json")


def submit(scene, lease, key="k1", actor="annotator", **more):
    return post(scene, "submit", {"token": lease["token"], "answer": ANSWER, "idempotency_key": key, **more}, actor)


def join(scene, name, role=Role.ANNOTATOR):
    scene.people[name] = factories.member(scene.study, role)
    return name


def test_claimed_region_is_answered_and_listed_as_own(scene):
    lease = claim(scene)
    assert lease["region"]["id"] == scene.region.public_id
    answered = submit(scene, lease, seconds=2.5, comment="sharp")
    assert answered.status_code == 200, answered.json()
    assert answered.json()["comment"] == "sharp"
    own = scene.client("annotator").get(f"{scene.base}queue/answers/").json()
    assert [row["idempotency_key"] for row in own["results"]] == ["k1"]
    assert scene.client("annotator").get(f"{scene.base}queue/").json()["answers_today"] == 1


def test_claiming_twice_gives_the_same_lease(scene):
    assert claim(scene)["token"] == claim(scene)["token"]


def test_second_submit_with_same_key_returns_first(scene):
    lease = claim(scene)
    first, second = submit(scene, lease), submit(scene, lease)
    assert first.json() == second.json()
    assert Annotation.objects.count() == 1


def test_late_submit_is_409_and_its_author_finds_the_draft(scene):
    lease = claim(scene)
    Assignment.objects.update(state=AssignmentState.EXPIRED)
    late = submit(scene, lease)
    assert late.status_code == 409
    assert late.json()["error"]["code"] == "lease-lost"
    drafts = scene.client("annotator").get(f"{scene.base}queue/").json()["drafts"]
    assert drafts[0]["content"]["answer"] == ANSWER
    assert scene.client("adjudicator").get(f"{scene.base}queue/").json()["drafts"] == []


def test_undo_gives_the_region_back_under_a_new_token(scene):
    lease = claim(scene)
    submit(scene, lease)
    undone = post(scene, "undo", {"token": lease["token"], "idempotency_key": "k2"})
    assert undone.status_code == 200, undone.json()
    assert undone.json()["region"]["id"] == lease["region"]["id"]
    assert undone.json()["token"] != lease["token"]


def test_skip_needs_a_reason(scene):
    lease = claim(scene)
    refused = post(scene, "skip", {"token": lease["token"], "reason": "  "})
    assert refused.status_code == 400
    assert "reason" in refused.json()["error"]["details"]["fields"]
    assert post(scene, "skip", {"token": lease["token"], "reason": "blurred"}).status_code == 204
    assert claim(scene) is None


def test_renew_and_release_act_on_the_own_token_only(scene):
    lease = claim(scene)
    join(scene, "second")
    for path in ("renew", "release"):
        assert post(scene, path, {"token": lease["token"]}, "second").status_code == 404
    assert post(scene, "renew", {"token": lease["token"]}).json()["token"] == lease["token"]
    assert post(scene, "release", {"token": lease["token"]}).status_code == 204


def test_unknown_fields_and_classes_are_named(scene):
    lease = claim(scene)
    wrong = submit(scene, lease, colour="red")
    assert wrong.status_code == 400
    assert "colour" in wrong.json()["error"]["message"]
    body = {"token": lease["token"], "idempotency_key": "k", "answer": {"kind": "class", "label": "cat"}}
    unknown = post(scene, "submit", body)
    assert unknown.status_code == 400
    assert "Unknown class 'cat'" in unknown.json()["error"]["message"]


def test_text_that_no_database_holds_is_refused_with_a_sentence(scene):
    lease = claim(scene)
    for label in ("a\x00b", "\ud800"):
        body = f'{{"token": "{lease["token"]}", "idempotency_key": "k", "answer": {{"kind": "class", "label": '
        body += "".join(f"\\u{ord(sign):04x}" for sign in label).join('""') + "}}"
        client = scene.client("annotator")
        response = client.post(f"{scene.base}queue/submit/", body, content_type="application/json")
        assert response.status_code == 400, label


def test_annotator_can_not_claim_adjudications(scene):
    assert post(scene, "claim", {"kind": "adjudicate"}).status_code == 403


def test_lease_is_the_same_whether_or_not_others_have_answered(scene):
    first = claim(scene)
    submit(scene, first)
    join(scene, "second")
    second = claim(scene, "second")
    hidden = ("token", "leased_at", "expires_at")
    assert {k: v for k, v in first.items() if k not in hidden} == {k: v for k, v in second.items() if k not in hidden}


@pytest.mark.parametrize("kind", [AssignmentKind.GOLD, AssignmentKind.REPEAT, AssignmentKind.RECHECK])
def test_gold_repeat_and_recheck_look_like_any_region(scene, kind):
    lease = claim(scene)
    Assignment.objects.filter(token=lease["token"]).update(kind=kind)
    client = scene.client("annotator")
    assert client.get(f"{scene.base}queue/").json()["lease"] == lease
    answered = submit(scene, lease).json()
    assert kind not in str(answered)
    seen = client.get(f"{scene.base}regions/{scene.region.public_id}/annotations/").json()
    assert [row["assignment_kind"] for row in seen] == ["label"]


def test_adjudicator_sees_letters_instead_of_names_in_a_fixed_order(scene):
    for name, label in (("one", "neutrophil"), ("two", "lymphocyte"), ("three", "monocyte")):
        join(scene, name)
        scene.region.picks.update(slots_open=1, slots_granted=3)
        lease = claim(scene, name)
        body = {"token": lease["token"], "idempotency_key": name, "comment": f"I say {label}"}
        assert post(scene, "submit", {**body, "answer": {"kind": "class", "label": label}}, name).status_code == 200
    scene.region.picks.update(state="adjudication", slots_open=1)
    lease = claim(scene, "adjudicator", kind="adjudicate")
    assert lease["kind"] == "adjudicate"
    assert [one["name"] for one in lease["opinions"]] == ["A", "B", "C"]
    assert {one["comment"] for one in lease["opinions"]} == {
        "I say neutrophil", "I say lymphocyte", "I say monocyte",
    }  # fmt: skip
    assert claim(scene, "adjudicator", kind="adjudicate")["opinions"] == lease["opinions"]
    text = str(lease)
    for name in ("one", "two", "three"):
        person = scene.people[name]
        assert person.pseudonym not in text and person.user.username not in text
    assert submit(scene, lease, actor="adjudicator").status_code == 400
    assert submit(scene, lease, actor="adjudicator", reason="two lobes").status_code == 200
    revision = GroundTruthRevision.objects.get(region=scene.region)
    assert (revision.label, revision.reason) == ("neutrophil", "two lobes")


def test_members_who_left_and_studies_of_others_are_404(scene):
    scene.people["annotator"].is_active = False
    scene.people["annotator"].save()
    assert post(scene, "claim", {}).status_code == 404
    assert scene.client("annotator").get("/api/studies/").json() == []
