"""The classes of a study that is being set up: what clashes, what is kept, which keys are the screens' own."""

import re
from pathlib import Path

import pytest

from annotation import colours, keys
from annotation.errors import BadInput, Conflict
from annotation.selectors import setup as reads
from annotation.services import setup
from annotation.studyfolder import read_text, write_definition
from tests.annotation import planned

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path / "store"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "1"}, "have the same key '1'"),
        ({"key": "t"}, "The key 't' belongs to definitions and examples"),
        ({"code": "round"}, "have the same code"),
        ({"colour": "#D95F02"}, "have the same colour"),
        ({"colour": "red"}, "The colour of class 2"),
        ({"quota": -1}, "The quota of class 2"),
    ],
)
def test_classes_that_clash_or_take_a_tools_key_are_refused_with_row_and_field(change, said):
    study = planned.begin().study
    setup.save_classes(study=study, classes=planned.CLASSES, guideline="")
    changed = [planned.CLASSES[0], {**planned.CLASSES[1], **change}, planned.CLASSES[2]]
    with pytest.raises(BadInput, match=said) as caught:
        setup.save_classes(study=study, classes=changed, guideline="")
    (problem,) = caught.value.details["problems"]
    assert (problem["row"], problem["field"]) == (2, next(iter(change)))
    assert [row.key for row in reads.class_rows(study)] == ["1", "2", "9"]


def test_swapped_keys_are_saved_and_a_class_that_stays_keeps_its_row():
    study = planned.begin().study
    setup.save_classes(study=study, classes=planned.CLASSES, guideline="")
    before = {row.code: row.pk for row in reads.class_rows(study)}
    first, second, third = planned.CLASSES
    setup.save_classes(study=study, classes=[third, {**first, "key": "2"}, {**second, "key": "1"}], guideline="")
    rows = reads.class_rows(study)
    assert [(row.code, row.key) for row in rows] == [("unclear", "9"), ("round", "2"), ("long", "1")]
    assert {row.code: row.pk for row in rows} == before


def test_classes_changed_in_another_tab_are_not_overwritten():
    study = planned.begin().study
    setup.save_classes(study=study, classes=planned.CLASSES, guideline="")
    seen = reads.classes_digest(study)
    setup.save_classes(study=study, classes=planned.CLASSES, guideline="Look twice.", seen=seen)
    with pytest.raises(Conflict, match="changed elsewhere"):
        setup.save_classes(study=study, classes=planned.CLASSES[:2], guideline="", seen=seen)
    assert len(reads.class_rows(study)) == 3 and reads.definition(study).guideline == "Look twice."


def test_imported_key_of_a_tool_stays_and_is_pointed_out():
    text = write_definition(
        read_text('name = "Old"\n' + "".join(
            f'[[classes]]\ncode = "{code}"\nname = "{code}"\ncolour = "#{colour}"\nkey = "{code[0]}"\n'
            for code, colour in (("target", "ff0000"), ("rod", "0000ff"))
        ))
    )  # fmt: skip
    study = planned.begin(definition=text).study
    classes = next(step for step in reads.steps(study) if step.id == "classes")
    assert keys.tool_of("t") and any("The key 't' of target" in note for note in classes.notes)
    rows = [
        {"code": row.code, "name": row.name, "colour": row.colour, "key": row.key, "definition": "seen"}
        for row in reads.class_rows(study)
    ]
    setup.save_classes(study=study, classes=rows, guideline="")
    assert {row.key for row in reads.class_rows(study)} == {"t", "r"}


def test_colours_that_look_alike_are_named_also_for_weak_red_green_vision():
    assert colours.similar(["#d95f02", "#1b9e77", "#7570b3"]) == []
    assert colours.similar(["#ff0000", "#fa0505"]) == [(0, 1, False)]
    assert colours.similar(["#b07a2f", "#5c9a36"]) == [(0, 1, True)]


def test_every_single_key_of_the_screens_where_people_answer_is_kept_from_classes():
    scripts = Path(keys.__file__).parent / "static/concord/js"
    screens = [scripts / "screens" / f"{name}.js" for name in ("annotate", "adjudicate", "queue")]
    folders = [path for name in ("annotate", "gallery") for path in (scripts / name).glob("*.js")]
    bound = {
        key.replace("\\\\", "\\")
        for path in (scripts / "regionviewer.js", *screens, *folders)
        for found in re.findall(r'keys: (?:\[|free\()((?:"(?:[^"\\]|\\.)*"(?:, )?)+)', path.read_text("utf-8"))
        for key in re.findall(r'"((?:[^"\\]|\\.)*)"', found)
    }
    single = {key for key in bound if len(key) == 1}
    assert {"f", "t", "z", "\\"} <= single
    assert single <= set(keys.TOOLS), "Keep these keys from classes in annotation/keys.py."
