"""Croissant 1.0: what the tables of a release hold, for machines (MLCommons, mlcommons.org/croissant/1.0).

Decides names, types and keys of columns; refuses to know the rows. Validated by the standard's own reader in tests.
"""

import json
from collections.abc import Mapping
from typing import Any

from annotation import publication
from annotation.releasing.content import Content
from annotation.releasing.manifest import FileFact

NAME = "croissant.json"
STANDARD = "http://mlcommons.org/croissant/1.0"
_TERMS = (
    "citeAs column conformsTo cr rai data dataType dct equivalentProperty examples extract field fileProperty "
    "fileObject fileSet format includes isLiveDataset jsonPath key md5 parentField path recordSet references regex "
    "repeated replace samplingRate sc separator source subField transform"
).split()
_OWN: dict[str, Any] = {
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}
TEXT, WHOLE, REAL, TRUTH = "sc:Text", "sc:Integer", "sc:Float", "sc:Boolean"
_TYPES = {
    **dict.fromkeys("x y width height revision protocol n_answers number quota regions".split(), WHOLE),
    **dict.fromkeys("confidence agreement seconds".split(), REAL),
    **dict.fromkeys("flagged special".split(), TRUTH),
}
_ENCODINGS = {"csv": "text/csv", "json": "application/json", "jsonl": "application/jsonlines", "md": "text/markdown"}
_KEYS = {"labels.csv": ("region",), "classes.csv": ("code",), "answers.csv": ("region", "annotator")}


def render(content: Content, *, files: Mapping[str, FileFact], columns: Mapping[str, list[str]]) -> bytes:
    """The file, given the digests of the others and the columns of each table."""
    said = content.facts.get("publication", {})
    values: dict[str, Any] = {
        "@context": {
            "@language": "en",
            "@vocab": "https://schema.org/",
            **{term: _OWN.get(term, f"cr:{term}") for term in _TERMS},
        },
        "@type": "sc:Dataset",
        "name": content.study["name"],
        "description": _describe(content),
        "conformsTo": STANDARD,
        "datePublished": content.pass_at[:10],
        "version": f"{content.pass_number}.0.0",
        "license": said.get("licence") or "all rights reserved: no licence was named",
        "url": said.get("address") or f"urn:sha256:{content.digest}",
        "citeAs": said.get("citation") or f"{content.study['name']} ({content.digest[:12]})",
        "distribution": [_file(name, fact) for name, fact in sorted(files.items()) if "/" not in name],
        "recordSet": [_records(name, columns[name]) for name in sorted(columns)],
    }
    if creators := publication.names(said, "creators"):
        values["creator"] = [{"@type": "sc:Person", "name": name} for name in creators]
    if keywords := publication.names(said, "keywords"):
        values["keywords"] = keywords
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def _describe(content: Content) -> str:
    classes = ", ".join(item.name for item in content.classes if not item.is_special)
    return (
        f"{len(content.regions)} regions of {len(content.slides)} slides with one class each ({classes}), cut from "
        f"consistency pass {content.pass_number}. datasheet.md says how the labels came about."
    )


def _file(name: str, fact: FileFact) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{fact.size_bytes} B",
        "encodingFormat": _ENCODINGS.get(name.rpartition(".")[2], "text/plain"),
        "sha256": fact.sha256,
    }


def _records(name: str, columns: list[str]) -> dict[str, Any]:
    records = name.removesuffix(".csv")
    keys = [{"@id": f"{records}/{column}"} for column in _KEYS[name]]
    return {
        "@type": "cr:RecordSet",
        "@id": records,
        "name": records,
        "key": keys[0] if len(keys) == 1 else keys,
        "field": [_field(records, name, column) for column in columns],
    }


def _field(records: str, name: str, column: str) -> dict[str, Any]:
    kind = _TYPES.get(column, REAL if column.startswith("p_") else TEXT)
    return {
        "@type": "cr:Field",
        "@id": f"{records}/{column}",
        "name": column,
        "dataType": kind,
        "source": {"fileObject": {"@id": name}, "extract": {"column": column}},
    }
