"""Recorded votes go through the real queue: nobody is asked what he or she did not answer, and it repeats exactly."""

import csv
import json
from collections import Counter
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from annotation.errors import BadInput
from annotation.models import Annotation, Assignment, Pick, RecordedVote, Region, Study
from annotation.services import imports, queue
from learning.slides.synthetic.study import write_study
from tests import factories
from tests.benchmarks.votequeue import VoteQueue
from workers.management.commands.replay import setting
from workers.simulation import references, replay, votes

CODES = factories.CODES
PEOPLE, REGIONS, PER_REGION = 5, 12, 4
TRUE = [CODES[0] if number % 4 else CODES[1] for number in range(REGIONS)]


def silent(line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def study(committed: None) -> Study:
    """12 regions on two slides, each with the votes of four of five people, who are right nine times in ten."""
    row = factories.study(
        policy={"refit_every_answers": 10, "planted_check_rate": 0.0, "audit_rate": 0.0, "max_overlap": 4}
    )
    slides = [factories.slide(row), factories.slide(row)]
    rng = np.random.default_rng(4)
    for number in range(REGIONS):
        region = factories.region(slides[number % 2])
        for person in np.flatnonzero(np.arange(PEOPLE) != number % PEOPLE):
            label = TRUE[number] if rng.random() < 0.9 else str(rng.choice(CODES))
            RecordedVote.objects.create(region=region, annotator=f"reader-{person}", label=label)
    return row


def run(study: Study, *, seed: int = 1, **policy: object) -> dict:
    plan = replay.Plan(seed=seed, is_lockstep=True, policy=policy)
    return replay.run(study=study, book=votes.recorded(study), plan=plan, told=silent)


def given(slug: str) -> list[tuple]:
    rows = Annotation.objects.filter(study__slug=slug).order_by("id")
    return list(rows.values_list("region__public_id", "annotator__pseudonym", "label"))


def test_everybody_says_what_was_recorded_and_nobody_is_asked_anything_else(study: Study) -> None:
    nobodys = factories.region(study.slides.first())
    found = run(study)
    book = votes.recorded(study)
    names = {f"A{place}": reader for place, reader in enumerate(sorted(book.votes), start=1)}
    answers = given(found["study"])
    assert len(answers) == found["answers"] == len({(region, person) for region, person, _ in answers})
    for region, person, label in answers:
        assert book.votes[names[person]][region].label == label
    assert found["votes_available"] == REGIONS * PER_REGION and found["readers"] == PEOPLE
    assert found["votes_used_share"] == pytest.approx(len(answers) / (REGIONS * PER_REGION), abs=1e-6)
    # Adaptive: no more than the maximum for any region, and two at least for each.
    counts = Counter(region for region, _, _ in answers)
    assert set(counts) == set(book.regions) and min(counts.values()) >= 2 and max(counts.values()) <= 4
    assert found["regions_settled"] + found["undecided"] == REGIONS
    # What nobody voted on is not asked about, and the study itself is untouched.
    assert not Region.objects.filter(study__slug=found["study"], public_id=nobodys.public_id).exists()
    assert not Assignment.objects.filter(study=study).exists() and not study.picks.exists()
    assert found["picks_open"] == found["undecided"]
    overlap = found["overlap"]
    assert (overlap["opinions"], overlap["regions"], overlap["fixed_opinions"]) == (len(answers), 12, 48)
    assert overlap["saved_share"] == pytest.approx(1 - len(answers) / 48, abs=1e-6)
    assert f"would have taken 48: {overlap['saved_share']:.1%} saved." in overlap["said"]
    assert found["models"] == 0 and found["release_digest"] is None and found["jobs_failed"] == []


@pytest.mark.slow
def test_one_seed_repeats_exactly_another_asks_in_another_order(study: Study) -> None:
    first, again, other = run(study, seed=3), run(study, seed=3), run(study, seed=4)
    assert {key for key in first if first[key] != again[key]} <= {"study", "wall_seconds"}
    assert given(first["study"]) == given(again["study"]) != given(other["study"])


def test_a_fixed_overlap_asks_as_many_and_all_votes_agree_with_themselves(study: Study) -> None:
    found = run(study, fixed_overlap=PER_REGION, consensus="majority")
    assert found["answers"] == REGIONS * PER_REGION and found["votes_used_share"] == 1.0
    assert found["agreement_majority"]["share"] == 1.0
    assert found["agreement_majority"]["of"] + found["agreement_majority"]["ties"] == REGIONS


def test_what_nobody_is_left_to_answer_is_undecided_and_counted_with_its_leading_class(study: Study) -> None:
    found = run(study, fixed_overlap=PER_REGION + 1)
    copy = Study.objects.get(slug=found["study"])
    assert found["undecided"] == REGIONS and found["regions_settled"] == 0
    assert set(Pick.objects.filter(study=copy).values_list("state", flat=True)) == {"adjudication"}
    assert found["agreement_dawid_skene"]["share"] == 1.0


def test_a_person_is_not_offered_a_region_without_a_vote_of_his_or_hers(study: Study) -> None:
    from workers.simulation import readers, sandbox

    book = votes.recorded(study)
    copy = sandbox.copy_study(study=study, slug="copy", seed=0, policy={}, needs_truth=False)
    crew = readers.hire(study=copy, book=book, seed=0)
    copy = replay._queue_all(copy, seed=0)
    person = next(one for one in crew.annotators if one.member.pseudonym == "A1")
    seen = set()
    while (lease := queue.claim(member=person.member)) is not None:
        seen.add(lease.region.public_id)
        queue.submit(
            member=person.member, token=lease.token, answer={"kind": "class", "label": CODES[0]},
            idempotency_key=lease.region.public_id,
        )  # fmt: skip
    assert seen == set(book.votes["reader-0"])


def test_the_command_takes_votes_of_a_file_and_writes_the_report(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "votes.csv"
    rows = [("region", "annotator", "label", "seconds")]
    for region in study.regions.all():
        rows += [(region.public_id, name, CODES[2], "2.5") for name in ("ann", "bea", "cy")]
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    out = StringIO()
    arguments = ["--votes", str(file), "--lockstep", "--policy", "min_overlap=3", "refit_every_answers=15"]
    call_command("replay", study.slug, *arguments, "--report", str(tmp_path / "r.json"), stdout=out, stderr=StringIO())
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["readers"] == 3 and found["answers"] == REGIONS * 3 and found["policy"]["min_overlap"] == 3
    assert found["agreement_majority"]["by_class"] == {CODES[2]: [REGIONS, REGIONS]}
    assert "36 of 36 votes (100.0%) settled 12 regions; 0 stayed undecided." in out.getvalue()
    assert set(Annotation.objects.values_list("seconds", flat=True)) == {2.5}


def test_the_folders_own_votes_are_the_same_read_from_the_file_as_imported(
    committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STORE", tmp_path / "store")
    folder = write_study(tmp_path / "in" / "study", seed=3, cases=1, cells_per_slide=6)
    with (folder / "regions.csv").open(newline="") as stream:
        names = [row["id"] for row in csv.DictReader(stream)]
    lines = [
        f"{name},{reader},{label}" for name in names for reader, label in (("ann", "blast"), ("bea", "lymphocyte"))
    ]
    (folder / "votes.csv").write_text("\n".join(["region,annotator,label", *lines]) + "\n")
    study = imports.import_folder(folder, slug="voted").study
    assert study is not None
    book = votes.read_file(folder / "votes.csv", study=study)
    assert book == votes.recorded(study) and book.count == 2 * len(names) > 4
    assert set(book.regions) == set(study.regions.values_list("public_id", flat=True))


def test_a_file_that_does_not_fit_the_study_is_told_line_by_line(study: Study, tmp_path: Path) -> None:
    region = study.regions.first()
    file = tmp_path / "votes.csv"
    file.write_text(
        "region,annotator,label\n"
        f"{region.public_id},ann,{CODES[0]}\n"
        f"{region.public_id},ann,{CODES[1]}\n"
        f"nowhere,ann,{CODES[0]}\n"
        f"{region.public_id},bea,blast\n"
        f"{region.public_id},,{CODES[0]}\n"
    )
    with pytest.raises(BadInput) as caught:
        votes.read_file(file, study=study)
    told = caught.value.details["problems"]
    assert [line.split(":")[0] for line in told] == [f"votes.csv, line {number}" for number in (3, 4, 5, 6)]
    assert "'ann' voted on this region before" in told[0] and "no region 'nowhere'" in told[1]
    assert "Its classes are neutrophil, lymphocyte, monocyte" in told[2] and "no annotator" in told[3]


def test_what_votes_can_not_answer_is_refused(study: Study) -> None:
    with pytest.raises(BadInput, match="repeat_rate can't be tried on recorded votes"):
        run(study, repeat_rate=0.1)
    with pytest.raises(CommandError, match="'overlap' is no KEY=VALUE|is no KEY=VALUE of a policy"):
        call_command("replay", study.slug, "--policy", "overlap")
    assert setting("fixed_overlap=3") == ("fixed_overlap", 3) and setting("show_suggestions=true")[1] is True
    RecordedVote.objects.all().delete()
    with pytest.raises(BadInput, match="Nobody's votes are recorded"):
        votes.recorded(study)


@pytest.mark.parametrize("policy", [{}, {"min_overlap": 1, "planted_check_rate": 0.5}, {"fixed_overlap": 3}])
def test_the_queue_of_the_benchmark_gives_what_the_real_queue_gives(study: Study, policy: dict) -> None:
    book = votes.recorded(study)
    found = run(study, seed=7, **policy)
    copy = Study.objects.get(slug=found["study"])
    audit = dict.fromkeys(book.regions, False)
    model = VoteQueue(book=book, policy=copy.policy, seed=7, audit=audit)
    outcome = model.run()
    names = [one.name for one in model.queue]
    expected = [(names[rank], f"A{reader + 1}", book.codes[label]) for rank, reader, label in model.answers]
    assert expected == given(found["study"])
    assert (outcome.answers, outcome.undecided) == (found["answers"], found["undecided"])
    assert outcome.labels == references.decided(copy)
