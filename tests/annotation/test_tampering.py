"""Tampering as the owner of the database, triggers off: each is told at the first row that does not fit the anchor.

Entries by the offline verifier, from an export; rows by `verify_ledger`, which compares them with their entries.
Naively, and with the whole chain and its head made anew as somebody would who knows how it is made.
"""

import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from annotation import canonical, chain
from annotation.models import Annotation, LedgerAnchor, LedgerEntry, LedgerHead
from annotation.services import anchoring, ledger, queue
from tests import factories
from tests.annotation.answering import submit
from tests.conftest import REPOSITORY

TABLES = ("annotation_annotation", "annotation_groundtruthrevision", "annotation_ledgerentry")
ANCHORED = (3, 6)


@pytest.fixture
def lived(committed, tmp_path):
    """A ledger of eight entries, anchored in a file after the third and the sixth."""
    study = factories.study(policy={"planted_check_rate": 0.0})
    slide = factories.slide(study)
    for _ in range(4):
        factories.pick(factories.region(slide))
    people = [factories.member(study) for _ in range(2)]
    anchors = tmp_path / "anchors.txt"
    for number in range(8):
        submit(people[number % 2])
        if number + 1 in ANCHORED:
            call_command("anchor_ledger", study.slug, file=anchors, verbosity=0)
    return study, anchors


def as_owner(statements):
    with connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement, values in statements:
            cursor.execute(statement, values)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def rewrite(study, links):
    """Put `links` in place of the study's entries, head included."""
    moments = dict(LedgerEntry.objects.filter(study=study).values_list("position", "created_at"))
    last = max(moments.values())
    insert = (
        "INSERT INTO annotation_ledgerentry (study_id, position, kind, payload, previous_digest, digest, created_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)"
    )
    statements = [("DELETE FROM annotation_ledgerentry WHERE study_id = %s", [study.pk])]
    for link in links:
        row = [link.position, link.kind, link.payload, link.previous_digest, link.digest]
        statements.append((insert, [study.pk, *row, moments.get(link.position, last)]))
    head = [links[-1].position, links[-1].digest, study.pk]
    statements.append(("UPDATE annotation_ledgerhead SET position = %s, digest = %s WHERE study_id = %s", head))
    as_owner(statements)


def anew(contents):
    """A chain over (kind, payload), as the application would have made it."""
    links, previous = [], chain.GENESIS
    for position, (kind, payload) in enumerate(contents, start=1):
        digest = chain.hash_link(position=position, kind=kind, payload=payload, previous_digest=previous)
        links.append(chain.Link(position, kind, payload, previous, digest))
        previous = digest
    return links


def naively(links, how, place):
    """The same deed without touching a digest: rows edited, dropped or renumbered."""
    one = links[place - 1]
    if how == "edit":
        forged = chain.Link(one.position, one.kind, edit(one.payload), one.previous_digest, one.digest)
        return [*links[: place - 1], forged, *links[place:]]
    if how == "delete":
        return [*links[: place - 1], *links[place:]]
    if how == "reorder":
        other = links[place]
        swapped = [
            chain.Link(one.position, other.kind, other.payload, other.previous_digest, other.digest),
            chain.Link(other.position, one.kind, one.payload, one.previous_digest, one.digest),
        ]
        return [*links[: place - 1], *swapped, *links[place + 1 :]]
    return links[: place - 1]


def edit(payload):
    return payload.replace("neutrophil", "monocyte")


def wholly(links, how, place):
    """The deed with all digests after it made anew: the chain holds by itself."""
    contents = [(one.kind, one.payload) for one in links]
    if how == "edit":
        contents[place - 1] = (contents[place - 1][0], edit(contents[place - 1][1]))
    elif how == "delete":
        del contents[place - 1]
    elif how == "reorder":
        contents[place - 1 : place + 1] = contents[place - 1 : place + 1][::-1]
    else:
        del contents[place - 1 :]
    return anew(contents)


def check_offline(study, anchors, tmp_path):
    """Export the ledger and check it with the one file and nothing else."""
    path = tmp_path / "ledger.jsonl"
    call_command("export_ledger", study.slug, str(path), replace=True, verbosity=0)
    tool = REPOSITORY / "annotation" / "chain.py"
    command = [sys.executable, "-I", "-S", str(tool), str(path), str(anchors)]
    done = subprocess.run(command, cwd=tmp_path, env={}, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


NAIVE = {
    ("edit", 2): "Entry 2 (annotation) was altered",
    ("edit", 5): "Entry 5 (annotation) was altered",
    ("delete", 4): "Entry 4 is missing: after entry 3 comes entry 5.",
    ("reorder", 4): "Entry 4 does not follow the entry before it",
    ("truncate", 5): "The ledger ends at entry 4, but entry 6 was anchored",
}
WHOLE = {
    ("edit", 2): "Entry 3 is not the entry that was anchored: something from entry 1 to entry 3 was rewritten.",
    ("edit", 5): "something after entry 3 (anchored, and good) and up to entry 6 was rewritten.",
    ("delete", 4): "something after entry 3 (anchored, and good) and up to entry 6 was rewritten.",
    ("reorder", 4): "something after entry 3 (anchored, and good) and up to entry 6 was rewritten.",
    ("reorder", 1): "something from entry 1 to entry 3 was rewritten.",
    ("truncate", 6): "The ledger ends at entry 5, but entry 6 was anchored: its end was cut off.",
    ("truncate", 3): "The ledger ends at entry 2, but entry 3 was anchored: its end was cut off.",
}


def test_entries_edited_deleted_reordered_or_cut_off_are_told_offline(lived, tmp_path):
    study, anchors = lived
    links = list(ledger.links(study))
    code, said = check_offline(study, anchors, tmp_path)
    assert code == 0 and "It holds up to entry 6" in said[1]
    for deed, cases in ((naively, NAIVE), (wholly, WHOLE)):
        for (how, place), wanted in cases.items():
            rewrite(study, deed(links, how, place))
            code, said = check_offline(study, anchors, tmp_path)
            assert code == 1 and wanted in said[1], (deed.__name__, how, place, said)
    rewrite(study, links)
    assert check_offline(study, anchors, tmp_path)[0] == 0


def test_an_earlier_export_tells_the_very_entry(lived, tmp_path):
    study, _ = lived
    links = list(ledger.links(study))
    earlier = tmp_path / "earlier.jsonl"
    call_command("export_ledger", study.slug, str(earlier), verbosity=0)
    for (how, place), _ in WHOLE.items():
        rewrite(study, wholly(links, how, place))
        _, said = check_offline(study, earlier, tmp_path)
        first = f"The ledger ends at entry {place - 1}," if how == "truncate" else f"Entry {place} is not the entry"
        assert said[1].startswith(first), (how, place, said)


ROWS = {
    "edit": [
        ("UPDATE annotation_annotation SET label = 'monocyte' WHERE id = %s", "answer"),
    ],
    "delete": [
        ("UPDATE annotation_groundtruthrevision SET annotation_ids = '{}' WHERE %s = ANY(annotation_ids)", "answer"),
        ("DELETE FROM annotation_annotation WHERE id = %s", "answer"),
    ],
}


@pytest.mark.parametrize("how", ROWS)
def test_rows_edited_or_deleted_are_told_by_their_entry(lived, how):
    study, anchors = lived
    row = Annotation.objects.filter(study=study).order_by("id")[2]
    as_owner([(statement, [row.pk]) for statement, _ in ROWS[how]])
    problems = ledger.verify(study, anchors=list(chain.read_anchors(anchors.read_text().splitlines()))).problems
    assert problems[0].startswith("Entry 3: answer 1 of A1"), problems
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_ledger", study.slug, anchor_file=[anchors], verbosity=0)


def test_a_row_and_its_entry_altered_together_are_told_by_the_anchor_alone(lived, tmp_path):
    """The chain holds, every row fits its entry: nothing inside tells, the copy outside does."""
    study, anchors = lived
    links = list(ledger.links(study))
    row = Annotation.objects.filter(study=study).order_by("id")[4]
    as_owner(
        [
            ("UPDATE annotation_annotation SET label = 'monocyte', answer = %s WHERE id = %s",
             [canonical.dumps({"kind": "class", "label": "monocyte"}), row.pk]),
        ]
    )  # fmt: skip
    rewrite(study, wholly(links, "edit", 5))
    found = ledger.verify(study)
    assert found.ok, found.problems
    code, said = check_offline(study, anchors, tmp_path)
    assert code == 1 and "after entry 3 (anchored, and good) and up to entry 6 was rewritten" in said[1]
    told = ledger.verify(study, anchors=list(chain.read_anchors(anchors.read_text().splitlines())))
    assert "was rewritten" in told.problems[0]


def test_a_history_emptied_as_a_whole_is_told_by_the_anchor(lived, tmp_path):
    study, anchors = lived
    as_owner(
        [
            ("UPDATE annotation_region SET current_revision_id = NULL", None),
            ("DELETE FROM annotation_groundtruthrevision", None),
            ("DELETE FROM annotation_annotation", None),
            ("TRUNCATE annotation_ledgerentry", None),
            ("DELETE FROM annotation_ledgerhead", None),
        ]
    )
    code, said = check_offline(study, anchors, tmp_path)
    assert code == 1 and "The ledger ends at entry 0, but entry 3 was anchored" in said[1]


def test_anchors_go_to_a_file_that_only_grows_to_a_printout_and_by_mail(lived, capsys, mailoutbox):
    study, anchors = lived
    before = anchors.read_text()
    call_command("anchor_ledger", study.slug, file=anchors, printed=True, mail=["a@example.com", "b@example.com"])
    line = chain.to_anchor_line(next(reversed(list(chain.read_anchors(anchors.read_text().splitlines())))))
    assert anchors.read_text() == f"{before}{line}\n"
    assert line in capsys.readouterr().out
    assert line in mailoutbox[0].body and mailoutbox[0].to == ["a@example.com", "b@example.com"]
    (carried,) = chain.read_anchors(mailoutbox[0].body.splitlines())
    assert ledger.verify(study, anchors=[carried]).ok
    places = LedgerAnchor.objects.filter(study=study, position=8).values_list("place", flat=True)
    assert sorted(places) == [f"file {anchors}"[:200], "mail to a@example.com, b@example.com", "printed"]
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("anchor_ledger", study.slug, file=anchors.parent / "none" / "x")
    assert LedgerAnchor.objects.filter(study=study, position=8).count() == 3
    call_command("verify_ledger", study.slug, anchor_file=[anchors])


def test_an_empty_ledger_is_not_anchored_and_an_export_is_not_overwritten(lived, tmp_path):
    empty = factories.study()
    with pytest.raises(CommandError, match="nothing to anchor yet"):
        call_command("anchor_ledger", empty.slug)
    path = tmp_path / "kept.jsonl"
    path.write_text("evidence")
    with pytest.raises(CommandError, match="is evidence"):
        call_command("export_ledger", empty.slug, str(path))
    assert path.read_text() == "evidence"
    assert LedgerHead.objects.count() == 1


def test_a_day_after_the_last_anchor_the_next_is_due_once(lived, settings, tmp_path, mailoutbox):
    study, _ = lived
    settings.ANCHOR_FILE, settings.ANCHOR_MAIL = "", []
    LedgerAnchor.objects.all().delete()
    assert anchoring.enqueue_due() == []
    settings.ANCHOR_FILE, settings.ANCHOR_MAIL = str(tmp_path / "daily.txt"), ["a@example.com"]
    (job,) = anchoring.enqueue_due()
    assert [one.pk for one in anchoring.enqueue_due()] == [job.pk]
    run(job)
    assert not anchoring.is_due(study) and run(job) == {"places": []}
    assert len(mailoutbox) == 1 and len((tmp_path / "daily.txt").read_text().splitlines()) == 1
    LedgerAnchor.objects.update(created_at=LedgerAnchor.objects.first().created_at - anchoring.EVERY)
    assert not anchoring.is_due(study), "nothing has been written since"
    queue.undo(member=study.memberships.first(), token=last_token(study), idempotency_key="u")
    assert anchoring.is_due(study)


def test_a_mail_that_cannot_be_sent_fails_the_job_and_keeps_the_file(lived, settings, tmp_path, monkeypatch):
    study, _ = lived
    LedgerAnchor.objects.all().delete()
    settings.ANCHOR_FILE, settings.ANCHOR_MAIL = str(tmp_path / "daily.txt"), ["a@example.com"]
    monkeypatch.setattr(anchoring, "send_mail", refuse)
    (job,) = anchoring.enqueue_due()
    with pytest.raises(Exception, match="could not be sent to a@example.com: no route"):
        run(job)
    assert len((tmp_path / "daily.txt").read_text().splitlines()) == 1
    assert list(LedgerAnchor.objects.filter(study=study).values_list("place", flat=True)) == [
        f"file {tmp_path / 'daily.txt'}"[:200]
    ]


def refuse(*arguments):
    raise OSError("no route")


def run(job):
    from workers.steps import anchoring as step

    return step.run(job, None)


def last_token(study):
    last = Annotation.objects.filter(study=study, annotator=study.memberships.first()).order_by("-id").first()
    return last.assignment.token
