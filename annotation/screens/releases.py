"""Releases: what one would hold, cutting it, and what each one holds.

Decides what the two pages start with; counts and changes come from the API.
"""

from pathlib import Path
from typing import Any

from django.http import HttpRequest

from annotation import publication
from annotation.models import Release as Row
from annotation.releasing import changelog, files, pictures
from annotation.releasing.datasheet import model
from annotation.releasing.formats import citation, coco, croissant, geojson
from annotation.screens.base import Screen
from annotation.screens.passes import page_of, screens_of
from annotation.selectors import consistency

LONGEST_SHEET = 200_000
FILES = {
    files.LABELS: "A region a line: place, label, confidence, soft label, split.",
    files.ANSWERS: "The answers that count, by pseudonym.",
    files.CLASSES: "The classes of the protocol.",
    files.LEDGER: "The hash chain up to the pass.",
    coco.NAME: "Slides, classes and boxes as COCO, for detection and segmentation tools.",
    geojson.FOLDER: "A file a slide: drag it onto the opened slide in QuPath.",
    pictures.FOLDER: "The regions as pictures, by split and class.",
    model.FOLDER: "The model trained on this truth (safetensors); the datasheet has its card.",
    croissant.NAME: "The tables described for machines (Croissant).",
    citation.NAME: "How to cite it, and its licence.",
    changelog.NAME: "What it changed against the release before.",
    changelog.TABLE: "The same, region by region.",
    files.README: "How each file is opened.",
    files.DATASHEET: "Who labelled what, how, and what is known to be wrong.",
    files.MANIFEST: "Where everything comes from, and the SHA-256 of each file.",
    files.CHECKSUMS: "The same digests, as sha256sum reads them.",
}


class Releases(Screen):
    template = "concord/releases.html"
    title = "Releases"
    script = "releases"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        found = consistency.recent_releases(self.study, before=page_of(request))
        shown = found[: consistency.PAGE]
        passes = consistency.finished_passes(self.study)
        return {
            "rows": shown,
            "older": shown[-1].number if len(found) > consistency.PAGE else None,
            "passes": passes,
            "chosen": _choose(request, [row.number for row in passes]),
            "files": FILES,
        }

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        name = request.user.get_full_name() or request.user.get_username()  # type: ignore[union-attr]
        return {**super().boot(request), "screens": screens_of(self), "me": f"{name} ({self.member.pseudonym})"}


class Release(Screen):
    template = "concord/release.html"
    title = "Release"
    script = "release"
    row: Row

    def enter(self, request: HttpRequest, **kwargs: Any) -> None:
        super().enter(request, **kwargs)
        self.row = consistency.release(study=self.study, number=kwargs["number"])

    def context(self, request: HttpRequest) -> dict[str, Any]:
        held = consistency.files(self.row)
        sheet = held.get(files.DATASHEET)
        text = sheet.read_text(encoding="utf-8") if sheet else ""
        others = [one.number for one in consistency.recent_releases(self.study) if one.number != self.row.number]
        return {
            "title": f"Release {self.row.number}",
            "row": self.row,
            "files": [
                {"name": name, "size": path.stat().st_size, "said": FILES.get(name, "")}
                for name, path in held.items()
                if "/" not in name
            ],
            "folders": _folders(held),
            "publication": _publication(self.row.consistency_pass.numbers.get("publication", {})),
            "sheet": text[:LONGEST_SHEET],
            "is_cut": len(text) > LONGEST_SHEET,
            "others": others,
            "earlier": max((number for number in others if number < self.row.number), default=None),
        }

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        number = self.row.number
        return {
            **super().boot(request),
            "screens": screens_of(self),
            "release": {"number": number, "pass": self.row.consistency_pass.number, "items": self.row.items_count},
        }


def _folders(held: dict[str, Path]) -> list[dict[str, Any]]:
    """Each folder of the release with how many files it holds and their bytes: thousands would hide the others."""
    of_folder: dict[str, list[int]] = {}
    for name, path in held.items():
        if "/" in name:
            of_folder.setdefault(name.partition("/")[0], []).append(path.stat().st_size)
    return [
        {"name": name, "count": len(sizes), "size": sum(sizes), "said": FILES.get(name, "")}
        for name, sizes in of_folder.items()
    ]


def _publication(said: dict[str, str]) -> list[tuple[str, str]]:
    return [(field.label, said[field.key]) for field in publication.FIELDS if field.key in said]


def _choose(request: HttpRequest, numbers: list[int]) -> int | None:
    """The pass that is asked for, or the newest finished one."""
    asked = request.GET.get("pass", "")
    wanted = (number for number in numbers if str(number) == asked)
    return next(wanted, numbers[0] if numbers else None)
