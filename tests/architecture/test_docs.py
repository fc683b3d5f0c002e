"""What the documentation promises about names that code owns."""

import re
from dataclasses import fields

from annotation.policy import ENCODERS, LEARNED_ENCODER, Policy
from learning import features
from tests.conftest import REPOSITORY


def test_the_policy_table_names_every_key_and_no_other():
    text = (REPOSITORY / "docs" / "study-folder.md").read_text()
    table = text[text.index("## Policy") : text.index("## Tables")]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert named == {field.name for field in fields(Policy)}


def test_the_policy_knows_the_encoders_that_there_are():
    assert set(ENCODERS) == {*features.ENCODERS, LEARNED_ENCODER}


def test_links_between_pages_lead_to_files():
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"`(docs/[\w./-]+)`", page.read_text()):
            assert "NNNN" in target or (REPOSITORY / target).exists(), f"{page.name} names {target}"
