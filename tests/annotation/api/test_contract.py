"""The whole API under generated requests, good and bad: nothing is a 500, and answers are what the schema says."""

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from rest_framework.authtoken.models import Token
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from annotation.services import queue
from tests.annotation.api import scene as scenes

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 2}
LEAST_OPERATIONS = {"manager": 15, "annotator": 8}


# Committed rows: while requests are made up, no transaction may stay open and idle.
@pytest.fixture
def scene(committed, settings, tmp_path):
    settings.STORE = tmp_path / "store"
    settings.WHITENOISE_AUTOREFRESH = True
    return scenes.build()


# Some minutes where other tests run beside it on the same cores.
@pytest.mark.timeout(400)
@pytest.mark.parametrize("actor", LEAST_OPERATIONS)
@pytest.mark.parametrize("mode", EXAMPLES, ids=lambda mode: mode.value)
def test_generated_requests_are_answered_as_the_schema_says(scene, mode, actor):
    found = scenes.add_blocker(scene)
    lease = queue.claim(member=scene.people["annotator"])
    known = {
        "slug": scene.study.slug,
        "slide": scene.slide.public_id,
        "region": scene.region.public_id,
        "number": 1,
        "panel": "agreement",
        "finding": found.pk,
    }
    headers = {"Authorization": f"Token {Token.objects.create(user=scene.people[actor].user).key}"}
    api = schemathesis.openapi.from_wsgi("/api/schema/?format=json", WSGIHandler())
    operations = [one.ok() for one in api.get_all_operations()]
    probed = [
        probe(operation, mode=mode, known=known, token=lease.token, headers=headers)
        for operation in operations
        if is_for(operation.path, actor) and (mode.is_positive or has_more(operation, known))
    ]
    assert sum(probed) >= LEAST_OPERATIONS[actor]


def is_for(path, actor):
    """Each person in the own part of the API: what is closed to whom, the authorization matrix tests."""
    return ("/queue/" in path or path.endswith((".jpg", "/annotations/"))) == (actor == "annotator")


def has_more(operation, known):
    """Whether there is anything to get wrong besides the names of rows."""
    described = operation.definition.raw
    named = {one["name"] for one in described.get("parameters", ())}
    return "requestBody" in described or bool(named - known.keys())


def probe(operation, *, mode, known, token, headers) -> bool:
    """Some generated requests to one operation, at rows that exist; False where none could be made up."""

    @settings(
        max_examples=EXAMPLES[mode],
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def send(case):
        for name in known.keys() & (case.path_parameters or {}).keys():
            case.path_parameters[name] = known[name]
        if isinstance(case.body, dict) and isinstance(case.body.get("token"), str):
            case.body["token"] = token
        case.validate_response(case.call(headers=headers), checks=CHECKS)

    try:
        send()
    except Unsatisfiable:
        return False
    return True
