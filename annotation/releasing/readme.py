"""The first page of a release's folder: what it is, how each file is opened, and how the folder is checked.

Decides the words for people who have nothing but the folder.
"""

from collections.abc import Mapping

from annotation.releasing import files
from annotation.releasing.content import Content
from annotation.releasing.formats import coco, croissant, geojson
from annotation.releasing.manifest import FileFact

_OPENED = {
    files.LABELS: "one region a line; `pandas.read_csv`, R, a spreadsheet",
    coco.NAME: "`pycocotools.coco.COCO`, detectron2, mmdetection, FiftyOne",
    f"{geojson.FOLDER}/": "a file a slide: drag it onto the slide that is opened in QuPath",
    croissant.NAME: "`mlcroissant.Dataset`, TensorFlow Datasets, catalogues of data sets",
    "model/": "the model trained on this truth: three lines at the end of the datasheet's card of it",
    "crops/": "pictures by split and class: `torchvision.datasets.ImageFolder` and alike",
    files.DATASHEET: "who labelled what, how well they agree, and what is known to be wrong: read it first",
    files.LEDGER: "the history of every label; `verify_release` holds the labels against it",
}


def render(content: Content, *, facts: Mapping[str, FileFact]) -> bytes:
    """Markdown."""
    publication = content.facts.get("publication", {})
    rows = [
        f"| `{name}` | {said} |"
        for name, said in _OPENED.items()
        if name in {*facts, files.DATASHEET, croissant.NAME} or _has_folder(facts, name)
    ]
    lines = [
        f"# {' '.join(str(content.study['name']).split())}",
        "",
        f"{len(content.regions)} labelled regions of {len(content.slides)} slides. Slides are not part of this folder: "
        f"they are known by their SHA-256 in `{files.MANIFEST}`. Coordinates are level-0 pixels, origin top left.",
        "",
        "| file | opened by |",
        "| --- | --- |",
        *rows,
        "",
        f"Licence: {publication.get('licence') or 'none was named: ask before you use the data'}.",
        f"Citation: {' '.join(publication.get('citation', '').split()) or 'see CITATION.cff'}",
        "",
        f"Check the folder with `sha256sum -c {files.CHECKSUMS}`, or all of it with `manage.py verify_release`.",
    ]
    return ("\n".join(lines) + "\n").encode()


def _has_folder(facts: Mapping[str, FileFact], name: str) -> bool:
    return name.endswith("/") and any(known.startswith(name) for known in facts)
