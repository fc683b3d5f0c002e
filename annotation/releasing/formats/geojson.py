"""QuPath's GeoJSON: a file a slide, a polygon a region, in level-0 pixels with the origin at the top left.

Decides the properties that QuPath 0.5 reads (object type, classification with colour, measurements); refuses to know
other viewers. Files are named after the slide's public id: drag one onto the opened slide.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator

from annotation.releasing.content import Content, ReleasedRegion
from annotation.releasing.formats import compact

FOLDER = "geojson"
_NAMES = uuid.uuid5(uuid.NAMESPACE_OID, "concord region")


def name_of(slide: str) -> str:
    """The file of a slide."""
    return f"{FOLDER}/{slide}.geojson"


def render(content: Content) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of a file for each slide that has regions."""
    of_slide: dict[str, list[ReleasedRegion]] = defaultdict(list)
    for region in content.regions:
        of_slide[region.slide.slide].append(region)
    classification: dict[str, dict[str, object]] = {
        item.code: {"name": item.name, "color": _rgb(item.colour)} for item in content.classes
    }
    for slide, regions in sorted(of_slide.items()):
        features = b",\n".join(compact.dump(_feature(one, classification, content.codes)) for one in regions)
        yield name_of(slide), b'{"type":"FeatureCollection","features":[\n' + features + b"]}\n"


def _feature(
    region: ReleasedRegion, classification: dict[str, dict[str, object]], codes: list[str]
) -> dict[str, object]:
    left, top, right, bottom = region.x, region.y, region.x + region.width, region.y + region.height
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    measurements = {f"p {code}": share for code, share in zip(codes, region.posterior, strict=False)}
    if region.agreement is not None:
        measurements["agreement"] = region.agreement
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(_NAMES, region.region)),
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "objectType": "annotation",
            "name": region.region,
            "classification": classification[region.label],
            "isLocked": True,
            "measurements": measurements,
        },
    }


def _rgb(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
