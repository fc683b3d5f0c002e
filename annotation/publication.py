"""What a release says of its own publication: licence, citation, creators, address, keywords.

Decides the fields and what each may say; refuses to know the formats that print them. Nothing is needed: what is not
said is not invented either.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LICENCES = (
    "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0",
    "ODbL-1.0", "ODC-By-1.0", "PDDL-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0",
)  # fmt: skip
"""Ids of SPDX for licences of data."""
OTHER = "other: "


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `key` names it in study.toml and in releases, for good."""

    key: str
    label: str
    hint: str
    longest: int
    is_long: bool = False


FIELDS = (
    Field(
        "licence", "Licence", f"Under which others may use the labels: {LICENCES[1]}, or '{OTHER}' and its words.", 200
    ),
    Field("creators", "Creators", "Persons or groups, parted by semicolons, in the order of the citation.", 1000),
    Field("citation", "Citation", "How the data set is to be cited, as one would print it.", 2000, is_long=True),
    Field("address", "Address", "Where it is, or will be, found: https://…", 500),
    Field("keywords", "Keywords", "Parted by semicolons.", 500),
)
KEYS = tuple(field.key for field in FIELDS)
_BY_KEY = {field.key: field for field in FIELDS}


def find_problem(key: str, text: str) -> tuple[str, str] | None:
    """What is wrong with the text of a field, and what to do about it; None where it holds."""
    if len(text) > _BY_KEY[key].longest:
        return f"'{key}' is longer than {_BY_KEY[key].longest} characters.", "Shorten it."
    if key == "licence" and text not in LICENCES and not re.fullmatch(rf"{OTHER}.*\S.*", text):
        return (
            f"'{text}' is no licence that is known here.",
            f"Write one of {', '.join(LICENCES)}, or '{OTHER}' and its words.",
        )
    if key == "address" and not _is_address(text):
        return f"'{text}' is no address of the web.", "Write one that begins with https:// or http://."
    return None


def names(said: Mapping[str, str], key: str) -> list[str]:
    """The parts of a field that lists several."""
    return [part.strip() for part in re.split(r"[;\n]", said.get(key, "")) if part.strip()]


def _is_address(text: str) -> bool:
    try:
        found = urlsplit(text)
        return found.scheme in ("http", "https") and bool(found.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False
