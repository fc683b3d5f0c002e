"""The rule that tells where ways to a consensus part."""

import pytest

from annotation.policy import Policy
from annotation.rules import Evidence, disputed_consensus
from tests.annotation.rules.views import CODES, clean_items, item, plant, view


def said(items):
    return {one.region: (one.label, 0.8) for one in items}


def another(label):
    return CODES[(CODES.index(label) + 1) % len(CODES)]


def test_exactly_the_regions_on_which_another_way_differs_are_found():
    items = clean_items(300)
    majority, crowdlab = said(items), said(items)
    by_majority, by_model = plant(items, seed=1), plant(items, seed=2)
    for place in by_majority:
        majority[items[place].region] = ("", 0.5)
    for place in by_model:
        crowdlab[items[place].region] = (another(items[place].label), 0.9)
    seen = view(*items, by_people={"majority": majority}, evidence=Evidence(crowdlab=crowdlab))
    found = {one.region: one for one in disputed_consensus.find(seen)}
    assert set(found) == {items[place].region for place in {*by_majority, *by_model}}
    both = set(by_majority) & set(by_model)
    assert all(set(found[items[place].region].evidence["against"]) == {"crowdlab", "majority"} for place in both)


@pytest.mark.parametrize("method", ["adjudication", "consistency", "restore"])
def test_what_a_person_decided_is_not_disputed(method):
    one = item(1, method=method)
    assert not list(disputed_consensus.find(view(one, by_people={"majority": {one.region: ("monocyte", 0.9)}})))


def test_the_way_that_the_study_settles_by_disputes_nothing():
    one = item(1)
    ways = {"majority": {one.region: ("monocyte", 0.9)}}
    seen = view(one, by_people=ways, policy=Policy(consensus="majority"))
    assert not list(disputed_consensus.find(seen))


def test_people_who_differ_on_the_children_agree_on_the_parent():
    one = item(1, label="neutrophil")
    ways = {"majority": {one.region: ("monocyte", 0.9)}}
    seen = view(one, by_people=ways, parents={"monocyte": "neutrophil"})
    assert not list(disputed_consensus.find(seen))
