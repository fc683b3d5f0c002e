"""A manager runs a study from the admin: each action calls its service and shows what it says."""

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token, TokenProxy

from annotation.models import Assignment, GroundTruthRevision, Job, Membership
from annotation.services import queue
from annotation.states import AssignmentState, FindingState, JobKind, JobState, ModelState, Role, StudyState
from tests import factories
from tests.annotation.admin import rows
from tests.annotation.api.scene import add_blocker


@pytest.fixture
def run(browser):
    """Run an action on rows as the manager; returns the messages."""

    def act(action, *chosen, actor="manager", app="annotation", **more):
        name = chosen[0]._meta.model_name
        url = reverse(f"admin:{app}_{name}_changelist")
        body = {"action": action, "_selected_action": [row.pk for row in chosen], **more}
        response = browser(actor).post(url, body)
        assert response.status_code == 302, response.content
        return " ".join(str(one) for one in get_messages(response.wsgi_request))

    return act


def test_study_is_drained_closed_and_opened(scene, run):
    for action, state in (("drain", "draining"), ("close", "closed"), ("open", "running")):
        assert f"is {state}" in run(action, scene.study)
        scene.study.refresh_from_db()
        assert scene.study.state == state


def test_move_that_is_not_allowed_shows_the_services_sentence(scene, run):
    scene.study.state = StudyState.DRAFT
    scene.study.save()
    assert "can't become draining" in run("drain", scene.study)


def test_training_and_pass_are_enqueued(scene, run):
    assert "training 1 is ready" in run("train", scene.study)
    assert "pass 1 runs" in run("run_pass", scene.study)
    kinds = set(Job.objects.filter(study=scene.study).values_list("kind", flat=True))
    assert kinds == {JobKind.TRAIN_MODEL, JobKind.CONSISTENCY_PASS}


def test_refit_writes_a_snapshot_once_there_are_answers(scene, run):
    assert "no answers" in run("refit", scene.study)
    rows.add(scene)
    assert "rests on" in run("refit", scene.study)


def test_lease_is_ended_and_its_slot_goes_back(scene, run):
    lease = queue.claim(member=scene.people["annotator"])
    assert "has ended" in run("end", lease)
    assert Assignment.objects.get(pk=lease.pk).state == AssignmentState.RELEASED
    assert scene.region.picks.get().slots_open == 2


def test_failed_job_is_retried(scene, run):
    job = Job.objects.create(study=scene.study, kind=JobKind.TILE_SLIDE, key="x", state=JobState.FAILED)
    assert "is ready" in run("retry", job)
    job.refresh_from_db()
    assert job.state == JobState.READY


def test_findings_need_a_reason_and_carry_a_name(scene, run):
    found = add_blocker(scene)
    assert "reason" in run("waive", found)
    assert "is waived" in run("waive", found, reason="Known from the scanner.")
    found.refresh_from_db()
    assert (found.state, found.decided_by) == (FindingState.WAIVED, scene.people["manager"])
    assert "is open" in run("reopen", found, reason="In doubt again.")
    assert "is resolved" in run("resolve", found, reason="Right as it is.", fix="accept")


def test_superuser_who_is_no_manager_decides_nothing(scene, run):
    found = add_blocker(scene)
    said = run("waive", found, actor="superuser", reason="because")
    assert "Only a manager" in said
    found.refresh_from_db()
    assert found.state == FindingState.OPEN


def test_release_beside_a_blocker_is_refused_in_words(scene, run):
    found = add_blocker(scene)
    said = run("freeze", found.consistency_pass)
    assert "blockers stand before a release" in said
    assert scene.study.releases.count() == 0


def test_region_is_left_out_and_asked_again(scene, run):
    assert "needs a reason" in run("leave_out", scene.region)
    assert "left out by revision 1" in run("leave_out", scene.region, reason="Out of focus.")
    assert GroundTruthRevision.objects.get(region=scene.region).is_excluded
    assert "is asked again" in run("recheck", scene.region, reason="Refocused.")


def test_manager_goes_back_to_a_model(scene, run):
    rows.add(scene)
    model = scene.study.models.get()
    assert "needs a reason" in run("activate", model)
    assert "is active" in run("activate", model, reason="The newer one is worse on lymphocytes.")
    model.refresh_from_db()
    assert model.state == ModelState.ACTIVE


def test_chain_is_verified_and_a_row_nobody_vouches_for_is_named(scene, run):
    lease = queue.claim(member=scene.people["annotator"])
    answer = {"kind": "class", "label": "neutrophil"}
    queue.submit(member=scene.people["annotator"], token=lease.token, answer=answer, idempotency_key="k")
    assert "1 entries fit" in run("verify", scene.study.ledger_head)
    forged = factories.region(scene.slide)
    rows.add_truth(scene, forged, 7, timezone.now())
    assert "no ledger entry vouches" in run("verify", scene.study.ledger_head)


def test_rows_of_other_studies_can_not_be_acted_on(scene, run):
    run("close", scene.study, actor="strange manager")
    scene.study.refresh_from_db()
    assert scene.study.state == StudyState.RUNNING


def test_person_joins_by_name_changes_role_and_leaves(scene, browser, run):
    client = browser("manager")
    newcomer = factories.UserFactory(username="ada")
    url = reverse("admin:annotation_membership_add")
    unknown = client.post(url, {"study": scene.study.pk, "username": "nobody", "role": Role.ANNOTATOR})
    assert "no account of that name" in unknown.content.decode()
    client.post(url, {"study": scene.study.pk, "username": "ada", "role": Role.ANNOTATOR})
    member = Membership.objects.get(study=scene.study, user=newcomer)
    change = reverse("admin:annotation_membership_change", args=[member.pk])
    client.post(change, {"role": Role.ADJUDICATOR})
    member.refresh_from_db()
    assert member.role == Role.ADJUDICATOR
    lease = queue.claim(member=member)
    assert "has left" in run("deactivate", member)
    member.refresh_from_db()
    assert not member.is_active
    assert Assignment.objects.get(pk=lease.pk).state == AssignmentState.RELEASED


def test_tokens_are_taken_back_and_never_shown(scene, run):
    user = scene.people["annotator"].user
    token = Token.objects.create(user=user)
    assert not admin.site.is_registered(TokenProxy) and not admin.site.is_registered(Token)
    assert "1 tokens no longer" in run("take_tokens_back", user, app="auth", actor="superuser")
    assert not Token.objects.filter(pk=token.pk).exists()


def test_nobody_joins_a_study_of_others(scene, browser):
    factories.UserFactory(username="eve")
    url = reverse("admin:annotation_membership_add")
    body = {"study": scene.study.pk, "username": "eve", "role": Role.MANAGER}
    assert browser("strange manager").post(url, body).status_code == 200
    assert not Membership.objects.filter(study=scene.study, user__username="eve").exists()


def test_policy_is_changed_by_the_service_and_checked(scene, browser):
    client = browser("manager")
    url = reverse("admin:annotation_study_change", args=[scene.study.pk])
    refused = client.post(url, {"policy_values": '{"min_overlap": 0, "colour": 1}'})
    assert "unknown policy key" in refused.content.decode()
    refused = client.post(url, {"policy_values": '{"encoder": "magic"}'})
    assert "must be one of colour-texture" in refused.content.decode()
    client.post(url, {"policy_values": '{"min_overlap": 3}'})
    scene.study.refresh_from_db()
    assert scene.study.policy_values == {"min_overlap": 3}
