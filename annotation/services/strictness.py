"""How strictly a study's passes apply the rules: severity and thresholds, kept where they differ from the defaults.

Decides what is stored; what may be said of a rule is `annotation.rules.settings`. The next pass goes by it.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from annotation.errors import BadInput
from annotation.models import Study
from annotation.rules import settings
from annotation.selectors import setup

Values = Mapping[str, Mapping[str, Any] | None]


@transaction.atomic
def update(*, study: Study, values: Values) -> Study:
    """Change what is said of the rules in `values`; None takes a value, or a whole rule, back to its default.

    BadInput names everything that does not hold. What was said of a class that the protocol has no more is forgotten.
    """
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    codes = [row.code for row in setup.class_rows(study)]
    merged = {code: _forget(said, codes) for code, said in study.rule_values.items()}
    for code, said in values.items():
        changed = {**merged.get(code, {}), **said} if isinstance(said, Mapping) else said
        merged[code] = {name: value for name, value in changed.items() if value is not None} if changed else {}
    problems = settings.find_problems(merged, codes=codes)
    if problems:
        raise BadInput("The rules can't be set so: " + " ".join(problems), problems=problems)
    study.rule_values = {code: said for code, said in merged.items() if said}
    study.save(update_fields=["rule_values"])
    return study


def _forget(said: Mapping[str, Any], codes: list[str]) -> dict[str, Any]:
    """`said` without classes that are gone."""
    known = {
        name: {code: one for code, one in value.items() if code in codes} if isinstance(value, Mapping) else value
        for name, value in said.items()
    }
    return {name: value for name, value in known.items() if value != {}}
