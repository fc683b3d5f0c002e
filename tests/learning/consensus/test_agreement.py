import csv
import os
import subprocess
import sys
from pathlib import Path

import krippendorff
import numpy as np
import pytest

from learning.consensus import gather
from learning.consensus.agreement import measure_agreement
from tests.learning.consensus.crowds import draw_crowd

REPOSITORY = Path(__file__).parents[3]
SHARED = Path(os.environ.get("CONCORD_SHARED", REPOSITORY.parent / "shared"))

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C; Gwet uses the same table.
_GAP = None
PUBLISHED = [
    [1, 1, _GAP, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [_GAP, 5, 5, 5], [_GAP, _GAP, 1, 1], [_GAP, _GAP, 3, _GAP],
]  # fmt: skip


def gather_table(table, *, classes):
    rows = [
        (item, rater, label - 1)
        for item, row in enumerate(table)
        for rater, label in enumerate(row)
        if label is not None
    ]
    items, raters, labels = zip(*rows, strict=True)
    return gather(items=items, annotators=raters, labels=labels, sizes=(len(table), 4, classes))


def test_the_published_example_gives_the_published_coefficients():
    answers = gather_table(PUBLISHED, classes=5)
    nominal = measure_agreement(answers, cases=np.arange(12), seed=0)
    ordinal = measure_agreement(answers, cases=np.arange(12), seed=0, level="ordinal")
    assert nominal.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert ordinal.alpha.value == pytest.approx(0.815, abs=5e-4)
    assert nominal.ac1.value == pytest.approx(0.77544, abs=5e-6)
    assert (nominal.items, nominal.cases, nominal.answers) == (11, 11, 40)


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_alpha_is_that_of_the_krippendorff_package(level):
    for seed in range(5):
        answers = draw_crowd(seed=seed, items=80, annotators=5, classes=6, overlap=(1, 5), skill=0.6).answers
        mine = measure_agreement(answers, cases=np.arange(80), seed=0, level=level, resamples=10).alpha.value
        theirs = krippendorff.alpha(value_counts=answers.count_labels().astype(int), level_of_measurement=level)
        assert mine == pytest.approx(theirs, abs=1e-9)


def test_per_class_agreement_counts_pairs():
    answers = gather(
        items=[0, 0, 1, 1, 2, 2, 3],
        annotators=[0, 1] * 3 + [0],
        labels=[0, 0, 0, 1, 1, 1, 0],
        sizes=(4, 2, 3),
    )
    agreement = measure_agreement(answers, cases=np.arange(4), seed=0)
    assert [each.value for each in agreement.per_class[:2]] == pytest.approx([2 / 3, 2 / 3])
    assert np.isnan(agreement.per_class[2].value)
    assert agreement.raw.value == pytest.approx(2 / 3)


def test_bounds_repeat_with_a_seed_and_hold_the_value():
    answers = draw_crowd(seed=0, items=200, annotators=4, classes=4, overlap=(2, 3), skill=0.8).answers
    cases = np.arange(200) // 10
    first = measure_agreement(answers, cases=cases, seed=7)
    assert first == measure_agreement(answers, cases=cases, seed=7)
    assert first != measure_agreement(answers, cases=cases, seed=8)
    for estimate in (first.alpha, first.ac1, first.raw, *first.per_class):
        assert estimate.low < estimate.value < estimate.high


def test_bounds_over_cases_are_wider_when_a_case_is_all_right_or_all_wrong():
    labels = np.tile([0, 0, 1, 1], 50)
    second = np.where(np.arange(200) // 10 % 4 == 0, 1 - labels, labels)
    answers = gather(
        items=np.tile(np.arange(200), 2),
        annotators=np.repeat([0, 1], 200),
        labels=np.concatenate([labels, second]),
        sizes=(200, 2, 2),
    )
    by_case = measure_agreement(answers, cases=np.arange(200) // 10, seed=0).alpha
    by_item = measure_agreement(answers, cases=np.arange(200), seed=0).alpha
    assert by_case.high - by_case.low > 2 * (by_item.high - by_item.low)


def test_case_names_may_be_text_and_must_be_one_per_item():
    answers = gather(items=[0, 0, 1, 1], annotators=[0, 1, 0, 1], labels=[0, 0, 1, 1], sizes=(2, 2, 2))
    assert measure_agreement(answers, cases=["b", "a"], seed=0).alpha.value == 1.0
    with pytest.raises(ValueError, match="2 items need one case each"):
        measure_agreement(answers, cases=["a"], seed=0)


def test_nobody_to_compare_gives_no_value_and_no_warning():
    alone = gather(items=[0, 1], annotators=[0, 0], labels=[0, 1], sizes=(2, 1, 2))
    nothing = gather(items=[], annotators=[], labels=[], sizes=(0, 0, 2))
    for answers, cases in ((alone, [0, 1]), (nothing, [])):
        agreement = measure_agreement(answers, cases=cases, seed=0)
        assert np.isnan([agreement.alpha.value, agreement.ac1.value, agreement.raw.value]).all()
        assert agreement.items == 0


def test_pathologists_on_real_regions_agree_in_part():
    """FDA HTT pilot: the first rating of each reader and region; the four kinds of region are the classes."""
    path = SHARED / "multi_expert_labels_htt_stils" / "pilotHTT.csv"
    path = path if path.exists() else SHARED / "data" / "multi_expert_labels_htt_stils" / "pilotHTT.csv"
    if not path.exists():
        pytest.skip(f"The sample data isn't there ({path}); set CONCORD_SHARED to the folder that holds it.")
    first: dict[tuple[str, str], tuple[str, str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            first.setdefault((row["caseID"], row["readerID"]), (row["labelROI"], row["WSI"]))
    regions, readers, kinds = (
        sorted({key[0] for key in first}),
        sorted({key[1] for key in first}),
        sorted({value[0] for value in first.values()}),
    )
    slide_of = {region: slide for (region, _), (_, slide) in first.items()}
    answers = gather(
        items=[regions.index(region) for region, _ in first],
        annotators=[readers.index(reader) for _, reader in first],
        labels=[kinds.index(kind) for kind, _ in first.values()],
        sizes=(len(regions), len(readers), len(kinds)),
    )
    agreement = measure_agreement(answers, cases=[slide_of[region] for region in regions], seed=0)
    theirs = krippendorff.alpha(value_counts=answers.count_labels().astype(int), level_of_measurement="nominal")
    assert len(regions) == 640
    assert agreement.alpha.value == pytest.approx(theirs, abs=1e-9)
    assert agreement.ac1.value > agreement.alpha.value + 0.1, "imbalance lowers alpha, not AC1"


def test_importing_consensus_loads_nothing_heavy():
    code = (
        "import sys; import learning.consensus.agreement, learning.consensus.dawid_skene, "
        "learning.consensus.settlement, learning.consensus.reliability; "
        "print([name for name in ('sklearn', 'skimage', 'pandas', 'torch', 'scipy.stats', 'django') "
        "if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
