"""Reads what a release of a consistency pass holds, from rows that no longer change and facts the pass has pinned.

Decides which rows make up a release, in which order; refuses to write, and to look at what came after the pass.
"""

from collections import Counter
from collections.abc import Iterator

from annotation import garbage
from annotation.models import ConsistencyPass, Finding, LabelClass, PassItem, Protocol, Slide, Study
from annotation.releasing import diff, standing
from annotation.releasing.content import (
    Content,
    Decision,
    Earlier,
    ReleasedAnswer,
    ReleasedClass,
    ReleasedRegion,
    ReleasedSlide,
    Version,
)
from annotation.selectors import changes, composition
from annotation.services import ledger
from annotation.states import FindingState, Severity


@garbage.left_alone()
def read(consistency_pass: ConsistencyPass) -> Content:
    """The content of a release cut from a finished pass: the same each time, while its findings do not change."""
    study = Study.objects.get(pk=consistency_pass.study_id)
    facts = dict(consistency_pass.numbers)
    protocol = Protocol.objects.get(study=study, number=facts["protocol"])
    classes = list(LabelClass.objects.filter(protocol=protocol).order_by("position", "code"))
    codes = [one.code for one in classes]
    links = list(ledger.links(study, upto=consistency_pass.ledger_position))
    stood = standing.fold(links)
    tables = {int(number): table for number, table in facts["mappings"].items()}
    slides = _read_slides(study, facts["slides"])
    regions = _order(_read_regions(consistency_pass, stood, slides, tables, codes))
    return Content(
        study={"name": study.name, "task": study.task, "is_simulation": study.is_simulation},
        pass_number=consistency_pass.number,
        pass_at=consistency_pass.created_at.isoformat(),
        position=consistency_pass.ledger_position,
        digest=consistency_pass.ledger_digest,
        protocol=protocol.number,
        guideline=protocol.guideline,
        mappings={number: table for number, table in facts["mappings"].items() if int(number) != protocol.number},
        rules=consistency_pass.rules,
        facts={key: value for key, value in facts.items() if key not in ("slides", "protocol", "classes", "mappings")},
        classes=tuple(_read_class(one) for one in classes),
        slides=tuple(slides.values()),
        regions=regions,
        answers=_read_answers(stood, {one.region for one in regions}),
        decisions=_read_decisions(consistency_pass),
        open_warnings=_count_warnings(consistency_pass),
        links=links,
        earlier=_read_earlier(consistency_pass, regions),
        versions=tuple(_read_versions(study, upto=protocol.number)),
    )


def _read_class(row: LabelClass) -> ReleasedClass:
    return ReleasedClass(row.code, row.name, row.colour, row.definition, row.is_special, row.quota, row.parent)


def _read_versions(study: Study, *, upto: int) -> Iterator[Version]:
    rows = Protocol.objects.filter(study=study, number__lte=upto, published_at__isnull=False).order_by("number")
    for row in rows.select_related("published_by").prefetch_related("mappings"):
        mappings = sorted((one.source_code, one.target_code, one.kind) for one in row.mappings.all())
        yield Version(
            number=row.number,
            at=row.published_at.isoformat() if row.published_at else "",
            by=row.published_by.pseudonym if row.published_by else "",
            summary=row.summary,
            mappings=tuple(mappings),
        )


def _read_earlier(consistency_pass: ConsistencyPass, regions: tuple[ReleasedRegion, ...]) -> Earlier | None:
    """The release before, the same each time the pass is cut, and what this one changes against it."""
    last = changes.earlier(consistency_pass)
    if last is None:
        return None
    now = {one.region: diff.Held(one.label, one.slide.split) for one in regions}
    found = diff.compare(composition.held(last.consistency_pass), now)
    table = diff.to_csv(found.changes)
    return Earlier(last.number, last.manifest_digest, found.counts, found.flows, table, len(found.changes))


def _read_slides(study: Study, pinned: dict[str, list[str]]) -> dict[str, ReleasedSlide]:
    rows = Slide.objects.filter(study=study, public_id__in=pinned).order_by("public_id")
    slides = {}
    for row in rows:
        case, domain, split = pinned[row.public_id]
        slides[row.public_id] = ReleasedSlide(
            slide=row.public_id,
            sha256=row.checksum,
            size_bytes=row.size_bytes,
            width=row.width,
            height=row.height,
            um_per_px_x=row.um_per_px_x,
            um_per_px_y=row.um_per_px_y,
            case=case,
            domain=domain,
            split=split,
        )
    return slides


def _read_regions(
    consistency_pass: ConsistencyPass,
    stood: standing.Standing,
    slides: dict[str, ReleasedSlide],
    tables: dict[int, dict[str, str]],
    codes: list[str],
) -> Iterator[ReleasedRegion]:
    said: dict[str, Counter[str]] = {}
    for one in stood.opinions():
        label = tables.get(one["protocol"], {}).get(standing.label_of(one), "")
        if label:
            said.setdefault(one["region"], Counter())[label] += 1
    rows = PassItem.objects.filter(consistency_pass=consistency_pass).values_list(
        "region__public_id", "region__slide__public_id", "region__x", "region__y", "region__width", "region__height",
        "region__audit_half", "revision__number", "revision__label", "revision__method", "revision__protocol__number",
        "posterior",
    )  # fmt: skip
    # Values, not rows: five models for each region take longer than everything else that a release reads.
    for name, slide, x, y, width, height, audit, number, given, method, protocol, posterior in rows.iterator(
        chunk_size=2000
    ):
        label = tables.get(protocol, {}).get(given, "")
        if not label:
            continue
        votes = said.get(name, Counter())
        yield ReleasedRegion(
            region=name,
            slide=slides[slide],
            x=x,
            y=y,
            width=width,
            height=height,
            label=label,
            method=method,
            revision=number,
            protocol=protocol,
            opinions=votes.total(),
            agreement=votes[label] / votes.total() if votes else None,
            audit=audit,
            posterior=tuple(posterior[code] for code in codes) if posterior else (),
        )


def _order(regions: Iterator[ReleasedRegion]) -> tuple[ReleasedRegion, ...]:
    return tuple(sorted(regions, key=lambda one: (one.slide.slide, one.y, one.x, one.height, one.width)))


def _read_answers(stood: standing.Standing, released: set[str]) -> tuple[ReleasedAnswer, ...]:
    return tuple(
        ReleasedAnswer(
            region=one["region"],
            annotator=one["annotator"],
            number=one["number"],
            kind=one["assignment_kind"],
            label=standing.label_of(one),
            protocol=one["protocol"],
            seconds=one["seconds"],
            is_flagged=one["flagged"],
            suggestion=one["suggestion"],
        )
        for one in stood.effective()
        if one["region"] in released
    )


def _read_decisions(consistency_pass: ConsistencyPass) -> tuple[Decision, ...]:
    rows = Finding.objects.filter(consistency_pass=consistency_pass).exclude(state=FindingState.OPEN)
    decisions = [
        Decision(
            rule=row.rule,
            state=row.state,
            message=row.message,
            region=row.region.public_id if row.region else "",
            counterpart=row.counterpart.public_id if row.counterpart else "",
            subject=row.subject,
            by=row.decided_by.pseudonym if row.decided_by else "",
            reason=row.reason,
            at=row.decided_at.isoformat() if row.decided_at else "",
            until=row.waived_until.isoformat() if row.waived_until else None,
        )
        for row in rows.select_related("region", "counterpart", "decided_by")
    ]
    return tuple(sorted(decisions, key=lambda one: (one.rule, one.region, one.counterpart, one.subject)))


def _count_warnings(consistency_pass: ConsistencyPass) -> dict[str, int]:
    rows = Finding.objects.filter(consistency_pass=consistency_pass, state=FindingState.OPEN, severity=Severity.WARNING)
    return dict(sorted(Counter(rows.values_list("rule", flat=True)).items()))
