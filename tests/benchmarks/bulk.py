"""The many rows of a large study, each table in one statement: a million regions in well under a minute.

Decides shares and dates, drawn from row numbers so that each run gives the same; refuses to know what reads them.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

# `draw(row, salt)` is a number in [0, 1) that hangs on both.
_DRAW = """
CREATE FUNCTION pg_temp.draw(row_number bigint, salt bigint) RETURNS double precision IMMUTABLE LANGUAGE sql AS
$$ SELECT (hashint8extended(row_number, salt) & 1073741823) / 1073741824.0 $$;
CREATE FUNCTION pg_temp.class_of(row_number bigint, salt bigint, codes text[]) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT codes[1 + floor(power(pg_temp.draw(row_number, salt), 2) * array_length(codes, 1))::int] $$;
"""

_REGIONS = """
INSERT INTO annotation_region
    (study_id, slide_id, public_id, index, x, y, width, height, pixel_digest, audit_half, state)
SELECT s.study_id, s.id, substr(md5(s.id || ' ' || i), 1, 20), i,
       (i %% g.columns) * %(edge)s, (i / g.columns) * %(edge)s, %(edge)s, %(edge)s,
       md5(s.id || 'a' || i) || md5(s.id || 'b' || i), c.audit_half, 'pool'
FROM annotation_slide s
JOIN annotation_case c ON c.id = s.case_id
CROSS JOIN LATERAL (SELECT s.width / %(edge)s AS columns) g
CROSS JOIN LATERAL generate_series(0, s.region_count - 1) i
WHERE s.study_id = %(study)s
"""

# One row for each region that somebody has worked on: `n` is its place in time.
_WORK = """
CREATE TEMPORARY TABLE work AS
SELECT row_number() OVER (ORDER BY pg_temp.draw(id, 2)) - 1 AS n, id AS region_id, audit_half,
       pg_temp.class_of(id, 3, %(codes)s) AS truth, NULL::timestamptz AS at, '' AS state, 0 AS answers
FROM (SELECT id, audit_half FROM annotation_region WHERE study_id = %(study)s
      ORDER BY pg_temp.draw(id, 1) LIMIT %(worked)s) chosen;
UPDATE work SET
    at = date_trunc('day', now() - interval '60 days' + n * interval '60 days' / %(worked)s)
         + interval '7 hours' + pg_temp.draw(n, 4) * interval '9 hours',
    state = CASE WHEN n < 0.80 * %(worked)s THEN 'settled' WHEN n < 0.82 * %(worked)s THEN 'adjudication'
                 WHEN n < 0.83 * %(worked)s THEN 'excluded' ELSE 'queued' END;
UPDATE work SET answers = CASE state
    WHEN 'adjudication' THEN 4
    WHEN 'queued' THEN CASE WHEN pg_temp.draw(n, 5) < 0.3 THEN 1 ELSE 0 END
    ELSE 2 + (pg_temp.draw(n, 6) < 0.4)::int + (pg_temp.draw(n, 6) < 0.12)::int END;
CREATE TEMPORARY TABLE opinion AS
SELECT w.*, k, m.id AS annotator_id, w.at + k * interval '40 minutes' AS said_at,
       CASE WHEN pg_temp.draw(w.n * 8 + k, 7) < m.skill THEN w.truth
            ELSE pg_temp.class_of(w.n * 8 + k, 8, %(codes)s) END AS label
FROM work w CROSS JOIN LATERAL generate_series(0, w.answers - 1) k
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, 0.75 + 0.2 * pg_temp.draw(id, 9) AS skill
      FROM annotation_membership WHERE study_id = %(study)s AND role = 'annotator') m
  ON m.place = (w.n * 11 + k * 7) %% %(annotators)s;
"""

_PICKS = """
INSERT INTO annotation_selectionbatch (study_id, number, strategy, model_id, seed, pool_size, numbers, created_at)
SELECT %(study)s, n / 60 + 1, CASE WHEN n < 120 THEN 'cold_start' ELSE 'ranked' END, NULL, n, %(regions)s,
       '{}', min(at) OVER (PARTITION BY n / 60) FROM work WHERE n %% 60 = 0;
INSERT INTO annotation_pick (study_id, batch_id, batch_number, region_id, rank, stratum, score, parts, probability,
    reason, state, slots_open, slots_granted, overlap, is_planted_check, early_label, has_begun, is_deferred,
    skips, note, closed_at)
SELECT %(study)s, b.id, b.number, w.region_id, w.n %% 60,
       CASE WHEN w.audit_half <> '' THEN 'audit' WHEN w.n < 120 THEN 'cold'
            WHEN pg_temp.draw(w.n, 10) < 0.15 THEN 'random' ELSE 'ranked' END,
       pg_temp.draw(w.n, 11),
       jsonb_build_object('predicted', w.truth, 'margin', round(pg_temp.draw(w.n, 12)::numeric, 3)),
       0, 'The model wavers between two classes.',
       CASE w.state WHEN 'queued' THEN 'open' WHEN 'adjudication' THEN 'adjudication' ELSE 'settled' END,
       CASE w.state WHEN 'queued' THEN 2 - w.answers WHEN 'adjudication' THEN 1 ELSE 0 END,
       greatest(2, w.answers), 5, pg_temp.draw(w.n, 13) < 0.05, '', w.answers > 0, false, 0, '',
       CASE WHEN w.state IN ('settled', 'excluded') THEN w.at + interval '3 hours' END
FROM work w JOIN annotation_selectionbatch b ON b.study_id = %(study)s AND b.number = w.n / 60 + 1;
"""

_ANSWERS = """
INSERT INTO annotation_assignment (study_id, region_id, annotator_id, pick_id, kind, state, token, leased_at,
    expires_at, closed_at, skip_reason, suggestion, suggestion_is_planted, entered, entered_version)
SELECT %(study)s, o.region_id, o.annotator_id, p.id, 'label', 'submitted', md5(o.region_id || ' ' || o.k),
       o.said_at - interval '9 seconds', o.said_at + interval '15 minutes', o.said_at, '', '', false, NULL, 0
FROM opinion o JOIN annotation_pick p ON p.region_id = o.region_id ORDER BY o.said_at;
INSERT INTO annotation_annotation (study_id, region_id, annotator_id, number, parent_id, assignment_id,
    assignment_kind, protocol_id, kind, answer, label, seconds, is_flagged, suggestion, comment_digest,
    idempotency_key, created_at)
SELECT %(study)s, o.region_id, o.annotator_id, 1, NULL, a.id, 'label', %(protocol)s, 'class',
       jsonb_build_object('kind', 'class', 'label', o.label), o.label, 2 + 12 * pg_temp.draw(a.id, 14),
       pg_temp.draw(a.id, 15) < 0.01, '', '', a.token, o.said_at
FROM opinion o JOIN annotation_assignment a ON a.token = md5(o.region_id || ' ' || o.k) ORDER BY o.said_at;
-- The same regions again to their annotators, and what is leased or was passed over.
INSERT INTO annotation_assignment (study_id, region_id, annotator_id, pick_id, kind, state, token, leased_at,
    expires_at, closed_at, skip_reason, suggestion, suggestion_is_planted, entered, entered_version)
SELECT %(study)s, o.region_id, o.annotator_id, NULL, 'repeat', 'submitted', md5('again ' || o.region_id || ' ' || o.k),
       o.said_at + interval '2 days', o.said_at + interval '3 days', o.said_at + interval '2 days', '', '', false,
       NULL, 0
FROM opinion o WHERE o.k = 0 AND pg_temp.draw(o.n, 16) < 0.1 AND o.said_at < now() - interval '2 days';
INSERT INTO annotation_annotation (study_id, region_id, annotator_id, number, parent_id, assignment_id,
    assignment_kind, protocol_id, kind, answer, label, seconds, is_flagged, suggestion, comment_digest,
    idempotency_key, created_at)
SELECT %(study)s, a.region_id, a.annotator_id, 2, NULL, a.id, 'repeat', %(protocol)s, 'class',
       jsonb_build_object('kind', 'class', 'label', o.label), o.label, 5, false, '', '', a.token, a.leased_at
FROM annotation_assignment a JOIN opinion o ON o.region_id = a.region_id AND o.k = 0
WHERE a.study_id = %(study)s AND a.kind = 'repeat';
INSERT INTO annotation_assignment (study_id, region_id, annotator_id, pick_id, kind, state, token, leased_at,
    expires_at, closed_at, skip_reason, suggestion, suggestion_is_planted, entered, entered_version)
SELECT %(study)s, p.region_id, m.id, p.id, 'label', CASE WHEN m.place %% 2 = 0 THEN 'leased' ELSE 'skipped' END,
       md5('live ' || m.id), now() - interval '3 minutes', now() + interval '12 hours',
       CASE WHEN m.place %% 2 = 0 THEN NULL ELSE now() END,
       CASE WHEN m.place %% 2 = 0 THEN '' ELSE 'out of focus' END, '', false, NULL, 0
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM annotation_membership
      WHERE study_id = %(study)s AND role = 'annotator') m
JOIN (SELECT id, region_id, row_number() OVER (ORDER BY id) AS place FROM annotation_pick
      WHERE study_id = %(study)s AND state = 'open' AND NOT has_begun) p USING (place);
"""

_REVISION = """
INSERT INTO annotation_groundtruthrevision (study_id, region_id, number, parent_id, is_settled, is_excluded, answer,
    label, confidence, posterior, method, annotation_ids, evidence, protocol_id, snapshot_id, actor_id, reason,
    created_at)
"""
_TRUTH = (
    _REVISION
    + """
SELECT %(study)s, w.region_id, 1, NULL, true, w.state = 'excluded',
       jsonb_build_object('kind', 'class', 'label', w.truth), w.truth, 0.9 + 0.1 * pg_temp.draw(w.n, 17),
       jsonb_build_object(w.truth, 0.9 + 0.1 * pg_temp.draw(w.n, 17)),
       CASE WHEN pg_temp.draw(w.n, 18) < 0.07 THEN 'adjudication' ELSE 'dawid-skene' END,
       array(SELECT a.id FROM annotation_annotation a WHERE a.region_id = w.region_id), '[]', %(protocol)s, NULL,
       CASE WHEN pg_temp.draw(w.n, 18) < 0.07 THEN %(adjudicator)s END, '', w.at + interval '3 hours'
FROM work w WHERE w.state IN ('settled', 'excluded') ORDER BY w.at;
"""
    + _REVISION
    + """
SELECT study_id, region_id, 2, id, true, is_excluded, answer, label, 0.99, posterior, 'consistency', annotation_ids,
       evidence, protocol_id, NULL, %(manager)s, 'Looked at again.', created_at + interval '1 day'
FROM annotation_groundtruthrevision WHERE study_id = %(study)s AND pg_temp.draw(id, 19) < 0.08;
UPDATE annotation_region r SET state = w.state FROM work w WHERE r.id = w.region_id;
UPDATE annotation_region r SET current_revision_id = v.id FROM annotation_groundtruthrevision v
WHERE v.region_id = r.id AND v.study_id = %(study)s AND NOT EXISTS
    (SELECT 1 FROM annotation_groundtruthrevision later WHERE later.parent_id = v.id);
INSERT INTO annotation_gold (region_id, protocol_id, label, source, is_qualification, added_at)
SELECT region_id, %(protocol)s, truth, 'file', false, now() FROM work WHERE n %% 40 = 0;
"""
)

_PASSES = """
INSERT INTO annotation_passitem (consistency_pass_id, region_id, revision_id, posterior, others)
SELECT p.id, r.id, r.current_revision_id, '{}', '{}' FROM annotation_consistencypass p
JOIN annotation_region r ON r.study_id = p.study_id AND r.state = 'settled' WHERE p.study_id = %(study)s;
INSERT INTO annotation_finding (consistency_pass_id, rule, severity, region_id, subject, message, fix, data, state,
    decided_by_id, decided_at, reason)
SELECT p.id, (ARRAY['posterior-target', 'identical-regions', 'unresolved', 'stale-protocol'])[1 + i.place %% 4],
       CASE WHEN i.place %% 3 = 0 THEN 'blocker' ELSE 'warning' END, i.region_id, '', 'This does not fit.', 'recheck',
       '{"version": 1, "evidence_digest": ""}', CASE WHEN i.place %% 5 = 0 THEN 'open' ELSE 'resolved' END,
       CASE WHEN i.place %% 5 <> 0 THEN %(manager)s END, CASE WHEN i.place %% 5 <> 0 THEN now() END,
       CASE WHEN i.place %% 5 <> 0 THEN 'right as it is' ELSE '' END
FROM annotation_consistencypass p JOIN
    (SELECT consistency_pass_id, region_id, row_number() OVER (PARTITION BY consistency_pass_id ORDER BY id) AS place
     FROM annotation_passitem) i ON i.consistency_pass_id = p.id AND i.place <= %(worked)s / 14
WHERE p.study_id = %(study)s;
UPDATE annotation_consistencypass SET state = 'done', finished_at = created_at + interval '1 minute'
WHERE study_id = %(study)s;
"""

_JOBS = """
INSERT INTO annotation_job (study_id, kind, key, payload, state, attempt, max_attempts, worker, done_units,
    total_units, error, result, created_at, started_at, finished_at)
SELECT %(study)s, k.kind, k.kind || ' ' || i, '{}',
       CASE WHEN i %% 97 = 1 THEN 'failed' WHEN i %% 89 = 1 THEN 'ready' ELSE 'done' END, 1, 5, 'worker', 1, 1,
       CASE WHEN i %% 97 = 1 THEN 'The slide cannot be read.' ELSE '' END, '{}', now() - i * interval '20 minutes',
       now() - i * interval '20 minutes', now() - i * interval '20 minutes' + interval '1 minute'
FROM (VALUES ('tile-slide', 400), ('embed-slide', 400), ('score-slide', 4000), ('train-model', 40),
             ('select-batch', 280), ('refit-consensus', 400)) k (kind, count)
CROSS JOIN LATERAL generate_series(1, k.count) i;
"""

_PARTS = (_DRAW, _REGIONS, _WORK, _PICKS, _ANSWERS, _TRUTH, _PASSES, _JOBS)


def fill(owner: BaseDatabaseWrapper, **parameters: Any) -> None:
    """Write all rows of the study below its slides, passes included; `parameters` name its keys and sizes."""
    for part in _PARTS:
        run(owner, part, **parameters)


def run(owner: BaseDatabaseWrapper, part: str, **parameters: Any) -> None:
    """Carry out the statements of `part`, one after the other."""
    with owner.cursor() as cursor:
        for statement in _split(part):
            cursor.execute(statement, parameters if "%(" in statement or "%%" in statement else None)


def tidy(owner: BaseDatabaseWrapper) -> None:
    """Let the planner know the tables, as autovacuum would within minutes."""
    with owner.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _split(text: str) -> list[str]:
    """The statements of `text`: parameters go with one at a time."""
    return [one for one in (part.strip() for part in text.split(";\n")) if one]
