"""The datasheet answers the seven questions from what the pass has pinned, and says where nothing was said."""

from dataclasses import replace

from annotation.releasing import datasheet
from annotation.releasing.content import Earlier, Version
from tests.annotation.releasing.contents import content

TITLES = ["Motivation", "Composition", "Collection", "Labelling", "Uses", "Distribution", "Maintenance"]


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_sections_are_the_published_ones_in_their_order():
    text = datasheet.render(content())
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == TITLES
    assert "The study does not say." in section(text, "Motivation")
    assert section(text, "Distribution").count("The study does not say.") == 5
    assert "It is the first release" in section(text, "Maintenance")


def test_what_the_study_says_of_its_publication_stands_under_distribution_and_maintenance():
    made = content()
    said = {"licence": "CC-BY-4.0", "citation": "A | B <script>"}
    facts = {**made.facts, "publication": said, "checklist": {"upkeep": "The lab.", "purpose": "To count."}}
    earlier = Earlier(3, "ab" * 32, {}, {}, b"", 0)
    text = datasheet.render(replace(made, facts=facts, earlier=earlier))
    assert "| Licence | CC-BY-4.0 |" in section(text, "Distribution")
    assert "A \\| B \\<script\\>" in section(text, "Distribution")
    assert "> The lab." in section(text, "Maintenance") and "release 3" in section(text, "Maintenance")
    assert "> To count." in section(text, "Uses")


def test_rules_that_were_off_or_lowered_are_told_with_every_threshold():
    rules = {
        "near-duplicates": {"version": 2, "policy": {}, "severity": "off", "thresholds": {"similarity": 0.98}},
        "size-limits": {"version": 1, "policy": {}, "severity": "warning", "thresholds": {"least": {"": 0, "cell": 9}}},
        "unresolved": {"version": 1, "policy": {}},
    }
    text = section(datasheet.render(replace(content(), rules=rules)), "Labelling")
    assert "Switched off by the study: near-duplicates." in text
    assert "Made warnings by the study: size-limits." in text
    assert "| near-duplicates | 2 | off | similarity 0.98 |" in text
    assert "| size-limits | 1 | warning | least (others 0; cell 9) |" in text
    assert "| unresolved | 1 | its own | - |" in text


def test_versions_of_the_protocol_are_told_with_their_reasons_and_mappings():
    first = Version(1, "2026-01-01T10:00:00+00:00", "A1", "", ())
    split = (("cell", "big", "split"), ("cell", "small", "split"), ("gone", "", "retired"))
    second = Version(2, "2026-02-01T10:00:00+00:00", "A1", "Cells differ.", split)
    text = section(datasheet.render(replace(content(), versions=(first, second))), "Labelling")
    assert "**Version 2** (2026-02-01, by A1)\n\n> Cells differ." in text
    assert "| cell | split | big |" in text and "| gone | retired | - |" in text
    assert "Versions of the protocol" not in datasheet.render(replace(content(), versions=(first,)))


def test_ways_to_a_label_are_compared_where_the_pass_did():
    pair = {"first": "majority", "second": "dawid-skene", "regions": 40, "same": 39, "classes": {}}
    made = content()
    text = datasheet.render(replace(made, facts={**made.facts, "side_by_side": [pair]}))
    assert "| Majority | Dawid-Skene | 40 | 39 | 97.5 % |" in section(text, "Labelling")
    assert "side by side" not in datasheet.render(made)
