"""Erasing a person: name and free text are gone from every table, answers and ledger stay."""

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from rest_framework.authtoken.models import Token

from annotation.errors import Conflict
from annotation.models import Annotation, Assignment, Draft, Membership, PersonalText
from annotation.selectors import timeline
from annotation.services import erasure, ledger, queue
from annotation.services.queue import drafts
from annotation.states import Role
from tests import factories
from tests.annotation.answering import submit

pytestmark = pytest.mark.django_db
SECRET = "wilhelmina"


@pytest.fixture
def person():
    """Somebody whose name stands wherever a person can write."""
    study = factories.study(policy={"planted_check_rate": 0.0})
    factories.member(study, Role.MANAGER)
    slide = factories.slide(study)
    for _ in range(4):
        factories.pick(factories.region(slide))
    fields = {"username": SECRET, "first_name": SECRET, "last_name": SECRET, "email": f"{SECRET}@example.com"}
    member = factories.member(study, **fields)
    submit(member, comment=f"Ask {SECRET}.")
    queue.skip(member=member, token=queue.claim(member=member).token, reason=f"{SECRET} is tired.")
    lease = queue.claim(member=member)
    content = {"answer": None, "comment": f"{SECRET} thinks", "flagged": False}
    drafts.keep(lease, content=content)
    queue.save_entered(member=member, token=lease.token, content=content, version=lease.entered_version)
    Token.objects.create(user=member.user)
    Client().force_login(member.user)
    return member


def holding(text):
    """Tables with a row in which the text stands."""
    found = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{name}" t WHERE t::text ILIKE %s', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.append(name)
    return found


def test_nothing_personal_is_left_and_the_chain_holds(person):
    assert len(holding(SECRET)) == 4, "user, comment, assignment, draft"
    before = ledger.head(person.study), list(Annotation.objects.values("id", "label", "comment_digest"))
    assert ledger.verify(person.study).ok
    done = erasure.erase(member=person)
    assert (done.comments, done.skips, done.account) == (1, 1, True)
    assert holding(SECRET) == []
    assert (ledger.head(person.study), list(Annotation.objects.values("id", "label", "comment_digest"))) == before
    assert ledger.verify(person.study).ok
    text = PersonalText.objects.get()
    assert (text.text, text.salt) == ("", "") and text.erased_at, "without its salt nobody can try words on the digest"
    person.refresh_from_db()
    assert (person.is_active, person.shown_name) == (False, f"erased person {person.pseudonym}")
    assert not Assignment.objects.filter(annotator=person, state="leased").exists() and not Draft.objects.exists()
    assert not Token.objects.exists() and not person.user.has_usable_password()
    assert timeline.sessions(person)[0].answers == 1
    again = erasure.erase(member=person)
    assert (again.comments, again.account) == (0, True), "harmless when it was done before"


def test_an_account_that_another_study_needs_stays_and_goes_with_the_last_one(person):
    other = factories.study()
    factories.member(other, Role.MANAGER)
    second = Membership.objects.create(study=other, user=person.user)
    assert not erasure.erase(member=person).account
    person.refresh_from_db()
    assert person.user.username == SECRET and person.shown_name.startswith("erased person")
    assert erasure.erase(member=second).account
    assert holding(SECRET) == []


def test_a_dry_run_counts_and_erases_nothing(person):
    said = erasure.erase(member=person, dry_run=True)
    assert (said.comments, said.drafts, said.account) == (1, 1, True)
    assert len(holding(SECRET)) == 4


def test_who_runs_the_site_or_the_study_is_not_erased_by_mistake(person):
    manager = person.study.memberships.get(role=Role.MANAGER)
    with pytest.raises(Conflict, match="last manager"):
        erasure.erase(member=manager)
    get_user_model().objects.filter(pk=person.user_id).update(is_staff=True)
    with pytest.raises(Conflict, match="runs this site"):
        erasure.erase(member=person)
    person.refresh_from_db()
    assert person.erased_at is None and person.is_active and len(holding(SECRET)) == 4


def test_the_command_erases_by_user_name_or_pseudonym_and_from_all_studies(person, capsys):
    slug = person.study.slug
    with pytest.raises(CommandError, match="in no such study"):
        call_command("erase_person", slug, "nobody", yes=True)
    with pytest.raises(CommandError, match="Name a study"):
        call_command("erase_person", person.pseudonym, yes=True)
    call_command("erase_person", SECRET, all=True, yes=True)
    assert "1 comments" in capsys.readouterr().out and holding(SECRET) == []
