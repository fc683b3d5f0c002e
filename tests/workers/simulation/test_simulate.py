"""A study is simulated on a copy, to a verified release; in lockstep it repeats exactly."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from annotation.errors import BadInput, Refused
from annotation.models import Annotation, Assignment, FeatureShard, Job, KnownTruth, Region, Study
from annotation.services import imports, queue
from learning.slides.synthetic.study import write_study
from workers.simulation import crew, oracle, receipts, sandbox
from workers.simulation.annotators import Habits

POLICY = {
    "batch_size": 16,
    "first_model_revisions": 8,
    "retrain_every_revisions": 8,
    "refit_every_answers": 20,
    "audit_rate": 0.2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder of 120 synthetic cells of six patients."""
    made = write_study(tmp_path_factory.mktemp("smears") / "study", seed=3, cases=6, cells_per_slide=20)
    text = (made / "study.toml").read_text()
    kept = [line for line in text.splitlines() if line.split(" =")[0] not in POLICY]
    (made / "study.toml").write_text("\n".join([*kept, *(f"{k} = {v}" for k, v in POLICY.items())]) + "\n")
    return made


@pytest.fixture
def study(committed: None, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(settings, "STORE", tmp_path / "store")
    # The secret names the cases, and the names draw the audit sample: of six cases it must not be most, by chance.
    monkeypatch.setattr(Study._meta.get_field("secret"), "_get_default", lambda: "5a" * 32)
    found = imports.import_folder(folder, slug="smears").study
    assert found is not None
    return found


def simulate(study: Study, report: Path, *options: str) -> dict:
    arguments = ["--annotators", "4", "--lockstep", "--report", str(report), *options]
    call_command("simulate", study.slug, *arguments, stdout=StringIO(), stderr=StringIO())
    return json.loads(report.read_text())


def picks_of(slug: str) -> list[tuple]:
    rows = Study.objects.get(slug=slug).picks.order_by("batch_number", "rank")
    return list(rows.values_list("batch_number", "rank", "region__public_id", "stratum", "score", "reason", "state"))


@pytest.mark.timeout(400)
def test_lockstep_with_one_seed_repeats_picks_models_and_release(study: Study, tmp_path: Path) -> None:
    first = simulate(study, tmp_path / "one.json", "--seed", "5", "--answers", "100")
    second = simulate(study, tmp_path / "two.json", "--seed", "5", "--answers", "100")
    assert first["release_verified"] and first["release_digest"] == second["release_digest"]
    assert first["models"] >= 2 and first["model_versions"] == second["model_versions"]
    assert first["curve"] == second["curve"] and len(first["curve"]) >= 3
    assert picks_of(first["study"]) == picks_of(second["study"])
    differing = {key for key in first if first[key] != second[key]}
    assert differing <= {"study", "wall_seconds"}
    assert first["picks_open"] == 0 and first["jobs_failed"] == [] and first["regions_settled"] > 25
    assert first["answers_per_settled"] == pytest.approx(first["answers"] / first["regions_settled"], abs=1e-3)
    # The study itself is untouched: no answer, no batch, its slides unread.
    assert not Annotation.objects.filter(study=study).exists() and not study.picks.exists()
    assert set(Job.objects.filter(study=study).values_list("state", flat=True)) == {"ready"}


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_options_reach_policy_people_and_the_number_of_answers(study: Study, tmp_path: Path) -> None:
    options = ("--overlap", "fixed:3", "--consensus", "majority", "--selection", "random", "--answers", "60")
    found = simulate(study, tmp_path / "one.json", "--seed", "1", "--skill", "1.0", *options)
    policy = found["policy"]
    assert (policy["fixed_overlap"], policy["consensus"], policy["selection"]) == (3, "majority", "random")
    # Random picks are never withdrawn, so one batch of three opinions each may come on top.
    assert 55 <= found["answers"] <= 60 + 16 * 3
    assert found["truth_accuracy"] > 0.9 and set(found["truth_recall"])
    assert found["seed"] == 1 and found["release_verified"]
    slug = found["study"]
    per_region = Study.objects.get(slug=slug).annotations.values_list("region", "annotator").distinct()
    counts: dict[int, int] = {}
    for region, _ in per_region:
        counts[region] = counts.get(region, 0) + 1
    assert max(counts.values()) <= 4  # three people and, at most, an adjudicator


def test_copy_has_the_same_public_names_truth_and_slides_but_none_of_the_work(study: Study) -> None:
    copy = sandbox.copy_study(study=study, slug="copy", seed=9, policy={"audit_rate": 0.0})

    def names(of: Study) -> list[tuple]:
        rows = Region.objects.filter(study=of).order_by("slide__public_id", "index")
        return list(rows.values_list("public_id", "x", "y", "width", "height", "known_truth__label"))

    assert names(copy) == names(study) and len(names(copy)) == 120
    assert copy.is_simulation and copy.secret == study.secret and copy.seed == 9
    assert not Region.objects.filter(study=copy).exclude(audit_half="").exists()
    assert FeatureShard.objects.filter(slide__study=copy).count() == 0
    assert KnownTruth.objects.filter(region__study=copy).exclude(borderline="").exists()


def test_study_of_unknown_truth_is_refused(study: Study) -> None:
    KnownTruth.objects.all().delete()
    with pytest.raises(BadInput, match=r"Nothing is known of the regions of 'smears': import it with a truth.csv"):
        sandbox.copy_study(study=study, slug="copy", seed=0, policy={})


def test_truth_is_told_only_to_whoever_holds_a_live_lease(study: Study) -> None:
    from tests import factories

    people = crew.hire(study=study, annotators=1, habits=Habits(), seed=0)
    Study.objects.filter(pk=study.pk).update(state="running")
    region = study.regions.order_by("pk").first()
    assert region is not None
    factories.pick(region)
    lease = queue.claim(member=people.annotators[0].member)
    assert lease is not None
    assert oracle.reveal(token=lease.token) == region.known_truth
    with pytest.raises(Refused):
        oracle.reveal(token="guessed")
    queue.release(member=people.annotators[0].member, token=lease.token)
    with pytest.raises(Refused, match="No live lease"):
        oracle.reveal(token=lease.token)


def test_receipts_name_missing_altered_and_accept_what_is_stored(study: Study, tmp_path: Path) -> None:
    from tests import factories

    people = crew.hire(study=study, annotators=1, habits=Habits(), seed=0)
    Study.objects.filter(pk=study.pk).update(state="running")
    member = people.annotators[0].member
    log = receipts.Receipts(tmp_path / "log.jsonl")
    for number, region in enumerate(study.regions.order_by("pk")[:3]):
        factories.pick(region)
        lease = queue.claim(member=member)
        assert lease is not None
        label = {"kind": "class", "label": "blast"}
        queue.submit(member=member, token=lease.token, answer=label, idempotency_key=f"k{number}")
    log.note(pseudonym=member.pseudonym, key="k0", label="blast")
    log.note(pseudonym=member.pseudonym, key="k1", label="lymphocyte")
    log.note(pseudonym=member.pseudonym, key="lost", label="blast")
    log.close()
    found = receipts.audit(log.path, study=study)
    assert found.acknowledged == 3 and not found.is_whole
    assert found.missing == [(member.pseudonym, "lost")]
    assert found.altered == [(member.pseudonym, "k1")] and found.doubled == []


def test_bad_arguments_are_refused_in_sentences(study: Study) -> None:
    for arguments, said in [
        (["--overlap", "some"], "neither adaptive nor fixed:N"),
        (["--annotators", "0"], "at least one annotator"),
        (["--skill", "1.5"], "accuracy above 0"),
        (["--answers", "0"], "must be at least 1"),
    ]:
        with pytest.raises(CommandError, match=said):
            call_command("simulate", study.slug, *arguments)
    with pytest.raises(CommandError, match="There is no study 'nothing'. Known studies: smears"):
        call_command("simulate", "nothing")
    assert not Assignment.objects.exists()
