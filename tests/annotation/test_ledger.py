import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction

from annotation.chain import Anchor
from annotation.models import Annotation, GroundTruthRevision, LedgerAnchor, LedgerEntry
from annotation.services import ledger, queue
from tests import factories

TABLES = ("annotation_annotation", "annotation_groundtruthrevision", "annotation_ledgerentry")


@pytest.fixture
def written(committed):
    """A study with two answers, a revision and an anchor of its head."""
    study = factories.study(policy={"planted_check_rate": 0.0})
    factories.pick(factories.region(factories.slide(study)))
    for number in range(2):
        ann = factories.member(study)
        lease = queue.claim(member=ann)
        queue.submit(
            member=ann,
            token=lease.token,
            answer={"kind": "class", "label": "neutrophil"},
            idempotency_key=f"k{number}",
        )
    return study, ledger.head(study)


def as_owner(*statements: str) -> None:
    """Do what only the owner of the tables can: switch the triggers off and write."""
    with connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_history_refuses_changes_by_the_applications_rights_and_by_triggers(written):
    for alias, reason in (("default", "permission denied"), ("owner", "append-only")):
        for table in TABLES:
            for statement in ("UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
                with pytest.raises(DatabaseError, match=reason), transaction.atomic(using=alias):
                    connections[alias].cursor().execute(statement.format(table))


def test_untouched_ledger_fits_its_anchor(written):
    study, anchor = written
    found = ledger.verify(study, anchors=[anchor])
    assert found.ok and found.entries == 2


def test_altered_answer_is_named(written):
    study, anchor = written
    as_owner(
        "UPDATE annotation_annotation SET label='monocyte', answer='{\"kind\":\"class\"}' WHERE idempotency_key = 'k0'"
    )
    problems = ledger.verify(study, anchors=[anchor]).problems
    region = Annotation.objects.first().region.public_id
    assert problems[0] == f"Entry 1: answer 1 of A1 on region {region} was altered (answer, label)."


def test_deleted_revision_is_named(written):
    study, _ = written
    as_owner(
        "UPDATE annotation_region SET current_revision_id = NULL",
        "DELETE FROM annotation_groundtruthrevision",
    )
    problems = ledger.verify(study).problems
    assert "Entry 2: revision 1" in problems[0] and "missing" in problems[0]


def test_chain_cut_off_with_its_head_is_told_by_the_anchor(written):
    study, anchor = written
    first = LedgerEntry.objects.get(study=study, position=1)
    as_owner(
        "UPDATE annotation_region SET current_revision_id = NULL",
        "DELETE FROM annotation_groundtruthrevision",
        "DELETE FROM annotation_annotation WHERE idempotency_key = 'k1'",
        "DELETE FROM annotation_ledgerentry WHERE position = 2",
        f"UPDATE annotation_ledgerhead SET position = 1, digest = '{first.digest}'",
    )
    assert ledger.verify(study).ok  # nothing inside tells
    problems = ledger.verify(study, anchors=[anchor]).problems
    assert problems == ["The ledger ends at entry 1, but entry 2 was anchored: its end was cut off."]


def test_rewritten_chain_is_told_by_the_anchor(written):
    study, anchor = written
    forged = Anchor(anchor.position, "0" * 64)
    assert "was rewritten" in ledger.verify(study, anchors=[forged]).problems[0]


def test_row_without_an_entry_is_named(written):
    study, _ = written
    GroundTruthRevision.objects.create(
        study=study,
        region=study.regions.get(),
        number=2,
        is_settled=True,
        label="monocyte",
        method="consistency",
        protocol=study.protocol,
        created_at=Annotation.objects.first().created_at,
    )
    assert "no ledger entry vouches" in ledger.verify(study).problems[0]


def test_region_that_points_at_another_revision_is_named(written):
    study, _ = written
    study.regions.update(current_revision=None)
    assert "does not point at its newest revision" in ledger.verify(study).problems[0]


@pytest.mark.parametrize(
    "payload",
    ['{"rows":5}', '{"annotation":{"row":"annotation"}}', '{"revision":{"row":["revision"]}}', "[]", "nonsense"],
)
def test_entry_whose_payload_became_nonsense_is_named(written, payload):
    study, anchor = written
    as_owner(f"UPDATE annotation_ledgerentry SET payload = '{payload}' WHERE position = 1")
    problems = ledger.verify(study, anchors=[anchor]).problems
    assert problems[0] == "Entry 1 (annotation) was altered: its content no longer has its digest."
    assert any("no ledger entry vouches" in problem for problem in problems)


def test_ledger_is_checked_while_people_go_on_answering(written, monkeypatch):
    study, anchor = written
    other = factories.pick(factories.region(factories.slide(study)))
    ann = factories.member(study)
    lease = queue.claim(member=ann)
    assert lease is not None and lease.pick_id == other.pk
    answer = {"kind": "class", "label": "neutrophil"}
    read_head = ledger.head

    def answer_meanwhile(of):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(submit_elsewhere).result()
        return read_head(of)

    def submit_elsewhere():
        try:
            queue.submit(member=ann, token=lease.token, answer=answer, idempotency_key="meanwhile")
        finally:
            connections["default"].close()

    monkeypatch.setattr(ledger, "head", answer_meanwhile)
    found = ledger.verify(study, anchors=[anchor])
    assert found.problems == [] and found.entries == 2
    assert read_head(study).position == 3


def test_anchor_file_is_checked_before_it_is_replaced(written, tmp_path):
    study, anchor = written
    path = tmp_path / "head.json"
    path.write_text(json.dumps({"position": anchor.position, "digest": "0" * 64}))
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_ledger", study.slug, write_anchor=path)
    assert json.loads(path.read_text())["digest"] == "0" * 64
    path.unlink()
    for _ in range(2):
        call_command("verify_ledger", study.slug, write_anchor=path)
    assert json.loads(path.read_text()) == {"position": anchor.position, "digest": anchor.digest}


def test_anchor_that_could_not_be_written_is_not_noted(written, tmp_path):
    study, _ = written
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("verify_ledger", study.slug, write_anchor=tmp_path / "nowhere" / "head.json")
    assert not LedgerAnchor.objects.exists()
