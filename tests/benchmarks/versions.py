"""What a new version of the classes costs in a study with 200,000 settled regions and twice as many answers.

Decides the rows and what is changed: a class of 50,000 regions is renamed, then one of 50,000 is split. Runs in a
process of its own, as pytest holds Django's connections.
"""

import json
import resource
import sys
import time
from typing import Any

from tests.benchmarks import apart

NAME = "bench_versions"
REGIONS = 200_000
CODES = ("a", "b", "c", "d")
IMPACT_BOUND_SECONDS = 2.0
_ROWS = """
    INSERT INTO annotation_region
        (study_id, slide_id, public_id, index, x, y, width, height, pixel_digest, audit_half, state)
    SELECT %(study)s, %(slide)s, 'r' || lpad(g::text, 9, '0'), g, g * 64, 0, 64, 64, '',
           CASE WHEN g %% 10 = 0 THEN 'gate' ELSE '' END, 'settled'
    FROM generate_series(0, %(last)s) g;
    INSERT INTO annotation_assignment
        (study_id, region_id, annotator_id, kind, state, token, leased_at, expires_at, closed_at, skip_reason,
         suggestion, suggestion_is_planted, entered_version)
    SELECT %(study)s, r.id, m.id, 'label', 'submitted', md5(r.id || '-' || m.id), now(), now(), now(), '', '', false, 0
    FROM annotation_region r, annotation_membership m WHERE r.study_id = %(study)s AND m.study_id = %(study)s;
    INSERT INTO annotation_annotation
        (study_id, region_id, annotator_id, number, assignment_id, assignment_kind, protocol_id, kind, answer, label,
         seconds, is_flagged, suggestion, comment_digest, idempotency_key, created_at)
    SELECT s.study_id, s.region_id, s.annotator_id, 1, s.id, 'label', %(protocol)s, 'class',
           jsonb_build_object('kind', 'class', 'label', chr(97 + r.index %% 4)), chr(97 + r.index %% 4),
           2 + r.index %% 5, false, '', '', s.id::text, now()
    FROM annotation_assignment s JOIN annotation_region r ON r.id = s.region_id WHERE s.study_id = %(study)s;
    INSERT INTO annotation_groundtruthrevision
        (study_id, region_id, number, is_settled, is_excluded, answer, label, confidence, posterior, method,
         annotation_ids, evidence, protocol_id, reason, created_at)
    SELECT %(study)s, r.id, 1, true, false, jsonb_build_object('kind', 'class', 'label', chr(97 + r.index %% 4)),
           chr(97 + r.index %% 4), 0.94,
           '{"a": 0.02, "b": 0.02, "c": 0.02, "d": 0.02}'::jsonb || jsonb_build_object(chr(97 + r.index %% 4), 0.94),
           'dawid-skene', ARRAY[r.id * 2, r.id * 2 + 1], '[["A1", 1], ["A2", 1]]', %(protocol)s,
           'The posterior of 0.940 reaches the target of 0.900 after 2.', now()
    FROM annotation_region r WHERE r.study_id = %(study)s;
    UPDATE annotation_region r SET current_revision_id = g.id
    FROM annotation_groundtruthrevision g WHERE g.region_id = r.id AND r.study_id = %(study)s;
"""


def measure_versions() -> dict[str, Any]:
    """Seconds of the impact and of publishing, and how large the ledger's entries are."""
    return apart.measure("tests.benchmarks.versions")


def main() -> None:
    """Fill a database, change the classes twice, and print what it took."""
    with apart.own_database(NAME):
        print(json.dumps(_measure()))


def _measure() -> dict[str, Any]:
    from tests.annotation import protocol_changes as changes

    start = time.perf_counter()
    study = _fill()
    print(f"filled in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    found: dict[str, Any] = {"regions": REGIONS, "answers": 2 * REGIONS, "bound_seconds": IMPACT_BOUND_SECONDS}
    renamed = {"a": (changes.RENAMED, "x")}
    found["renamed"] = _change(study, ("x", "b", "c", "d"), renamed)
    split = {"b": (changes.SPLIT, "b1", "b2")}
    found["split"] = _change(study, ("x", "b1", "b2", "c", "d"), split)
    found["seconds"] = max(found[name]["impact_seconds"] for name in ("renamed", "split"))
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def _change(study: Any, codes: tuple[str, ...], plans: dict[str, Any]) -> dict[str, Any]:
    from annotation.models import LedgerEntry
    from annotation.services import protocols
    from tests.annotation import protocol_changes as changes

    changes.draft(study, codes, plans)
    start = time.perf_counter()
    told = protocols.impact(study=study)
    counted = time.perf_counter()
    print(f"counted in {counted - start:.2f} s", file=sys.stderr)
    protocols.publish_draft(study=study, member=changes.manager(study))
    done = time.perf_counter()
    entry = LedgerEntry.objects.filter(study=study).order_by("-position")[0]
    return {
        "impact_seconds": round(counted - start, 2),
        "publish_seconds": round(done - counted, 2),
        "rewritten": told.rewritten,
        "queued": told.queued,
        "hours": round(told.hours or 0.0, 1),
        "entry_mb": round(len(entry.payload) / 1e6, 1),
    }


def _fill() -> Any:
    from django.db import connection, connections, transaction

    from tests import factories
    from tests.annotation import protocol_changes as changes

    study = changes.study(CODES)
    slide = factories.slide(study)
    for _ in range(2):
        factories.member(study)
    values = {"study": study.pk, "slide": slide.pk, "protocol": study.protocol_id, "last": REGIONS - 1}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROWS, values)
    # As autovacuum would have by then; the application's role may not.
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    return study


if __name__ == "__main__":
    main()
