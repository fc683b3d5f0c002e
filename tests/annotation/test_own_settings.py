import pytest
from rest_framework.test import APIClient

from annotation.selectors import classes
from annotation.services import preferences
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "/api/me/preferences/"


@pytest.fixture
def person():
    return factories.UserFactory()


@pytest.fixture
def own(person):
    client = APIClient()
    client.force_authenticate(person)
    return client


def test_nothing_set_reads_as_defaults(own):
    assert own.get(ADDRESS).json() == {"keys": {}, "explained": []}


def test_keys_and_explanations_are_kept_apart_from_each_other(own):
    keys = {"single": False, "own": {"annotate.flag": ["x"]}}
    own.put(ADDRESS, {"keys": keys}, format="json")
    answer = own.put(ADDRESS, {"explained": ["queue", "queue", "gallery"]}, format="json")
    assert answer.json() == {"keys": keys, "explained": ["gallery", "queue"]}
    assert own.get(ADDRESS).json() == answer.json()


def test_settings_of_one_person_are_not_those_of_another(own, person):
    own.put(ADDRESS, {"keys": {"single": False}}, format="json")
    other = APIClient()
    other.force_authenticate(factories.UserFactory())
    assert other.get(ADDRESS).json()["keys"] == {}


@pytest.mark.parametrize(
    "keys",
    [
        {"single": True, "colour": "red"},
        {"own": ["x"]},
        {"own": {"a": "x"}},
        {"own": {"a": ["x" * 61]}},
        {"own": {"a": [1]}},
        {"own": {str(number): ["x"] for number in range(preferences.MOST_ACTIONS + 1)}},
    ],
)
def test_keys_of_another_shape_are_refused_and_change_nothing(own, keys):
    own.put(ADDRESS, {"keys": {"single": False}}, format="json")
    refused = own.put(ADDRESS, {"keys": keys}, format="json")
    assert refused.status_code == 400
    assert own.get(ADDRESS).json()["keys"] == {"single": False, "own": {}}


@pytest.mark.parametrize(
    "body",
    [
        r'{"keys": {"own": {"a": ["\u0000"]}}}',
        r'{"keys": {"own": {"\u0000": ["a"]}}}',
        r'{"keys": {"own": {"\ud800": ["a"]}}}',
        r'{"\ud800": 1}',
        "[" * 100_000,
    ],
)
def test_text_that_no_database_holds_is_refused_wherever_it_stands(own, body):
    refused = own.put(ADDRESS, body, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad-input")


def test_name_of_a_prototype_is_a_name_like_any_other(own):
    keys = {"single": True, "own": {"__proto__": ["x"], "constructor": ["y"]}}
    assert own.put(ADDRESS, {"keys": keys}, format="json").json()["keys"] == keys


def test_letters_of_classes_all_differ_and_begin_as_the_names_do():
    names = ["Neutrophil", "Normoblast", "Nothing", "Monocyte", "not evaluable", "N", "+"]
    signs = classes.letters(names)
    assert len(set(signs)) == len(names)
    assert [sign[0] for sign in signs[:5]] == ["N", "N", "N", "M", "N"]
    assert signs[0] == "N" and signs[1] == "NO" and all(len(sign) <= 2 for sign in signs)


def test_letters_stay_different_when_names_repeat():
    signs = classes.letters(["AA"] * 12)
    assert len(set(signs)) == 12
