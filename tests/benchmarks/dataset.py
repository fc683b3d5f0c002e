"""Passes and a release as large as they get: 200,000 items, 20,000 findings, and 50,000 labels released before.

Decides shares, drawn from row numbers so that each run gives the same; refuses to know what reads the rows.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from annotation.models import ConsistencyPass, LedgerHead, Membership, Release, Slide, Study
from annotation.rules import RULES
from annotation.services import releases
from tests import factories
from tests.benchmarks import bulk, million

ITEMS, RELEASED, FINDINGS, ENTRIES = 200_000, 50_000, 20_000, 30_000
SPLITS = ("train", "train", "train", "validation", "test")

# `draw` is of this connection since the study was filled.
_TRUTH = """
CREATE TEMPORARY TABLE seen AS
SELECT id AS region_id, row_number() OVER (ORDER BY pg_temp.draw(id, 31)) - 1 AS n,
       %(codes)s::text[] AS codes, pg_temp.class_of(id, 32, %(codes)s) AS label
FROM annotation_region WHERE study_id = %(study)s AND current_revision_id IS NULL AND state = 'pool'
ORDER BY 2 LIMIT %(items)s;
INSERT INTO annotation_groundtruthrevision (study_id, region_id, number, parent_id, is_settled, is_excluded, answer,
    label, confidence, posterior, method, annotation_ids, evidence, protocol_id, snapshot_id, actor_id, reason,
    created_at)
SELECT %(study)s, region_id, 1, NULL, true, false, jsonb_build_object('kind', 'class', 'label', label), label, 0.97,
       '{}', 'dawid-skene', '{}', '[]', CASE WHEN n %% 3 = 0 THEN %(older)s ELSE %(newer)s END, NULL, NULL, '', now()
FROM seen ORDER BY region_id;
UPDATE annotation_region r SET state = 'settled', current_revision_id = v.id
FROM annotation_groundtruthrevision v JOIN seen USING (region_id) WHERE r.id = v.region_id;
"""

_ITEMS = """
INSERT INTO annotation_passitem (consistency_pass_id, region_id, revision_id, posterior)
SELECT %(pass)s, r.id, r.current_revision_id,
       (SELECT jsonb_object_agg(code, CASE WHEN code = s.label THEN 0.93 ELSE 0.01 END) FROM unnest(s.codes) code)
FROM seen s JOIN annotation_region r ON r.id = s.region_id WHERE s.n < %(items)s ORDER BY s.region_id;
"""

_FINDINGS = """
INSERT INTO annotation_finding (consistency_pass_id, rule, severity, region_id, counterpart_id, subject, message, fix,
    data, state, decided_by_id, decided_at, reason, waived_until)
SELECT %(pass)s, f.rule, CASE WHEN f.rule = 'posterior-target' THEN 'warning' ELSE 'blocker' END, f.region_id,
       CASE WHEN f.rule = 'identical-regions' THEN f.rival END, '',
       'The consensus is less sure of this region than the study asks for.', 'recheck',
       jsonb_build_object('version', 1, 'evidence', jsonb_build_object('posterior', 0.61, 'target', 0.95),
                          'evidence_digest', md5(f.region_id || ' ' || CASE WHEN f.luck < 0.7 THEN 0 ELSE %(pass)s END))
       || CASE WHEN f.state = 'open' THEN '{}'
               ELSE jsonb_build_object('decision', jsonb_build_object('fix', CASE f.state WHEN 'waived' THEN 'waive'
                                       ELSE 'accept' END)) END,
       f.state, CASE WHEN f.state <> 'open' THEN %(manager)s END, CASE WHEN f.state <> 'open' THEN now() END,
       CASE WHEN f.state <> 'open' THEN 'Known since the last pass.' ELSE '' END, NULL
FROM (SELECT s.region_id, lead(s.region_id, 1, NULL) OVER (ORDER BY s.n) AS rival, pg_temp.draw(s.n, 33) AS luck,
             (ARRAY['posterior-target', 'posterior-target', 'identical-regions', 'stale-protocol'])[1 + s.n %% 4]
             AS rule,
             CASE WHEN %(closed)s THEN 'resolved'
                  ELSE (ARRAY['open', 'open', 'open', 'resolved', 'waived'])[1 + (s.n / 4) %% 5] END AS state
      FROM seen s WHERE s.n <= %(findings)s) f
WHERE f.rival IS NOT NULL ORDER BY f.rule, f.region_id LIMIT %(findings)s;
UPDATE annotation_consistencypass SET state = 'done', finished_at = now() WHERE id = %(pass)s;
"""

# The first entry is the release.
_LEDGER = """
INSERT INTO annotation_ledgerentry (study_id, position, kind, payload, previous_digest, digest, created_at)
SELECT %(study)s, n, CASE WHEN n %% 20 = 0 THEN 'finding' ELSE 'answer' END, repeat('x', 600), md5('a' || n),
       md5('b' || n), now()
FROM generate_series(2, %(entries)s) n;
"""


@dataclass(frozen=True)
class Dataset:
    """The study, its manager, the pass before the newest, the newest, and the release of an earlier one."""

    study: Study
    manager: Membership
    before: ConsistencyPass
    newest: ConsistencyPass
    release: Release


def fill(*, items: int = ITEMS) -> Dataset:
    """Write the study into the empty database that both connections are at; the other sizes follow `items`."""
    share = items / ITEMS
    made = million.fill(regions=round(items * 1.25), slides=400)
    study, manager = made.study, made.manager
    older = study.current_protocol
    newer = factories.protocol(study, codes=million.CODES)
    common = {"study": study.pk, "items": items, "codes": list(million.CODES)}
    bulk.run(connections["owner"], _TRUTH, **common, older=older.pk, newer=newer.pk)
    facts = _pin(study, older=older.number, newer=newer.number)
    few, many = round(RELEASED * share), items
    earliest, *rest = (
        _add_pass(study, manager, number=million.PASSES + 1 + at, facts=facts, items=size, closed=at == 0)
        for at, size in enumerate((few, many, many))
    )
    release = releases.freeze(study=study, consistency_pass=earliest, member=manager)
    bulk.run(connections["owner"], _LEDGER, study=study.pk, entries=ENTRIES)
    LedgerHead.objects.filter(study=study).update(position=ENTRIES)
    bulk.tidy(connections["owner"])
    return Dataset(study, manager, rest[0], rest[1], release)


def find() -> Dataset:
    """What an earlier run has filled."""
    study = Study.objects.get(slug="million")
    *_, before, newest = ConsistencyPass.objects.filter(study=study).order_by("number")
    return Dataset(study, million.find().manager, before, newest, study.releases.get())


def _pin(study: Study, *, older: int, newer: int) -> dict[str, Any]:
    """What a pass pins of the study, as far as its readers need it."""
    rows = Slide.objects.filter(study=study).order_by("public_id").select_related("case", "domain")
    slides = {one.public_id: [one.case.code, one.domain.name, SPLITS[one.case_id % len(SPLITS)]] for one in rows}
    same = {code: code for code in million.CODES}
    return {"slides": slides, "protocol": newer, "mappings": {str(older): same, str(newer): same}, "left_out": {}}


def _add_pass(
    study: Study, manager: Membership, *, number: int, facts: dict[str, Any], items: int, closed: bool
) -> ConsistencyPass:
    row = ConsistencyPass.objects.create(
        study=study,
        number=number,
        ledger_position=0,
        ledger_digest="0" * 64,
        rules={rule.code: {"version": rule.version, "policy": {}} for rule in RULES},
        numbers={**facts, "items": items, "released": items},
        started_by=manager,
        created_at=timezone.now() + timedelta(minutes=number),
    )
    findings = round(items * FINDINGS / ITEMS)
    parameters = {"pass": row.pk, "items": items, "findings": findings, "closed": closed, "manager": manager.pk}
    for part in (_ITEMS, _FINDINGS):
        bulk.run(connections["owner"], part, **parameters)
    row.refresh_from_db()
    return row
