"""Majority, Dawid-Skene and CROWDLAB beside each other: in a pass, on its page, and in a region's history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import sidebyside
from annotation.models import PassItem
from annotation.rules import Evidence
from annotation.services import passes
from annotation.states import Role
from learning.consensus import gather
from tests import factories
from tests.annotation.consistency_studies import answered

CODES = ("a", "b", "c")


def test_each_way_names_its_leading_class_and_a_tie_names_none():
    answers = gather(items=[0, 0, 1, 1], annotators=[0, 1, 0, 1], labels=[0, 1, 2, 2], sizes=(2, 2, 3))
    posterior = np.array([[0.7, 0.3, 0.0], [0.05, 0.05, 0.9]])
    said = sidebyside.by_people(["r1", "r2"], answers, posterior, CODES)
    assert said["majority"] == {"r1": ("", 0.5), "r2": ("c", 1.0)}
    assert said["dawid-skene"] == {"r1": ("a", 0.7), "r2": ("c", 0.9)}
    said["crowdlab"] = {"r2": ("b", 0.6)}
    assert sidebyside.others_of("r1", said) == {"majority": ["", 0.5], "dawid-skene": ["a", 0.7]}
    assert sidebyside.others_of("r2", said)["crowdlab"] == ["b", 0.6]


@given(
    rows=st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(["", *CODES]), st.sampled_from([None, *CODES]))),
)
def test_pairs_count_what_both_judge_and_agree_on_by_the_class_that_stands(rows):
    labels = {f"r{place}": row[0] for place, row in enumerate(rows)}
    methods = {
        "majority": {f"r{place}": (row[1], 0.5) for place, row in enumerate(rows)},
        "crowdlab": {f"r{place}": (row[2], 0.5) for place, row in enumerate(rows) if row[2]},
    }
    found = {(pair["first"], pair["second"]): pair for pair in sidebyside.compare(labels, methods)}
    judged = [row for row in rows if row[2]]
    expected = {
        ("standing", "majority"): (len(rows), sum(row[0] == row[1] for row in rows)),
        ("standing", "crowdlab"): (len(judged), sum(row[0] == row[2] for row in judged)),
        ("majority", "crowdlab"): (len(judged), sum(row[1] == row[2] for row in judged)),
    }
    assert {key: (pair["regions"], pair["same"]) for key, pair in found.items()} == {
        key: value for key, value in expected.items() if value[0]
    }
    for pair in found.values():
        assert sum(count for _, count in pair["classes"].values()) == pair["regions"]
        assert sum(same for same, _ in pair["classes"].values()) == pair["same"]


@pytest.fixture
def passed():
    study, manager = answered(regions=6, slides=2)
    odd = study.regions.order_by("public_id").first()

    def ask(reading):
        said = {item.region: (item.label, 0.9) for item in reading.view.items}
        stands = said[odd.public_id][0]
        other = next(code for code in reading.view.codes if code != stands)
        return Evidence(crowdlab={**said, odd.public_id: (other, 0.6)})

    return study, manager, odd, passes.execute(passes.start(study=study, member=manager), gather=ask)


@pytest.mark.django_db
def test_a_pass_keeps_what_each_way_says_of_each_region_and_of_the_study(passed):
    _, _, odd, done = passed
    item = PassItem.objects.get(consistency_pass=done, region=odd)
    assert set(item.others) == {"majority", "dawid-skene", "crowdlab"}
    assert item.others["majority"] == [item.revision.label, 1.0]
    assert item.others["crowdlab"][0] != item.revision.label
    pairs = {(one["first"], one["second"]): one for one in done.numbers["side_by_side"]}
    assert len(pairs) == 6
    assert (pairs["majority", "dawid-skene"]["same"], pairs["majority", "dawid-skene"]["regions"]) == (6, 6)
    assert pairs["dawid-skene", "crowdlab"]["same"] == 5
    assert pairs["standing", "crowdlab"]["classes"][item.revision.label] == [1, 2]


@pytest.mark.django_db
def test_managers_see_the_ways_on_the_page_of_the_pass_and_in_the_history(client, passed):
    study, manager, odd, done = passed
    client.force_login(manager.user)
    page = f"/admin/studies/{study.slug}/passes/{done.number}/"
    text = client.get(page).content.decode()
    assert 'href="?differ=standing,crowdlab#differing"' in text and "majority,dawid-skene" not in text
    text = client.get(f"{page}?differ=standing,crowdlab").content.decode()
    assert f"/regions/{odd.public_id}/" in text and "They differ nowhere" not in text
    assert sum(f"/regions/{row.public_id}/" in text for row in study.regions.all()) == 1
    assert "They differ nowhere" in client.get(f"{page}?differ=majority,dawid-skene").content.decode()
    assert client.get(f"{page}?differ=majority,nonsense").context["differing"] is None
    history = client.get(f"/admin/studies/{study.slug}/regions/{odd.public_id}/").content.decode()
    assert all(name in history for name in ("Majority", "Dawid-Skene", "CROWDLAB", "0.600"))


@pytest.mark.django_db
def test_nobody_else_sees_them_and_a_region_no_pass_has_seen_shows_none(client, passed):
    study, manager, odd, _ = passed
    fresh = factories.region(odd.slide)
    client.force_login(manager.user)
    assert "ways-title" not in client.get(f"/admin/studies/{study.slug}/regions/{fresh.public_id}/").content.decode()
    for person in (factories.member(study), factories.member(study, Role.ADJUDICATOR)):
        client.force_login(person.user)
        assert client.get(f"/admin/studies/{study.slug}/regions/{odd.public_id}/").status_code == 404
