"""COCO: slides as images, regions as boxes with a category (Lin et al. 2014, "Microsoft COCO").

Decides ids and which facts go into COCO's own fields; refuses to know where the file lies. Boxes are level-0 pixels.
"""

from collections.abc import Iterator
from typing import Any

from annotation.releasing.content import Content, ReleasedRegion, ReleasedSlide
from annotation.releasing.formats import compact

NAME = "coco.json"


def render(content: Content) -> Iterator[bytes]:
    """The file in parts. Ids count from 1: images in the order of slides, categories of classes, boxes of labels."""
    image_ids = {slide.slide: number for number, slide in enumerate(content.slides, start=1)}
    category_ids = {item.code: number for number, item in enumerate(content.classes, start=1)}
    boxes = (
        _box(number, region, image_ids, category_ids, content.codes)
        for number, region in enumerate(content.regions, start=1)
    )
    yield b'{"info":' + compact.dump(_info(content))
    yield b',"licenses":' + compact.dump(_licences(content))
    yield b',"categories":' + compact.dump(
        [
            {"id": category_ids[item.code], "name": item.code, "supercategory": item.parent or content.study["task"]}
            | {"title": item.name, "color": item.colour, "is_special": item.is_special}
            for item in content.classes
        ]
    )
    yield b',"images":[' + b",\n".join(compact.dump(_image(image_ids[slide.slide], slide)) for slide in content.slides)
    yield b'],"annotations":[\n' + b",\n".join(compact.dump(box) for box in boxes) + b"]}\n"


def count_by_category(values: dict[str, Any]) -> dict[str, int]:
    """Class code -> boxes, of a file that was read; KeyError or TypeError where it is none."""
    names = {one["id"]: one["name"] for one in values["categories"]}
    counts = dict.fromkeys(names.values(), 0)
    for box in values["annotations"]:
        counts[names[box["category_id"]]] += 1
    return counts


def _info(content: Content) -> dict[str, object]:
    publication = content.facts.get("publication", {})
    return {
        "description": content.study["name"],
        "version": content.digest,
        "url": publication.get("address", ""),
        "contributor": publication.get("creators", ""),
        "date_created": content.pass_at,
        "year": int(content.pass_at[:4]),
    }


def _licences(content: Content) -> list[dict[str, object]]:
    licence = content.facts.get("publication", {}).get("licence", "")
    return [{"id": 1, "name": licence, "url": ""}] if licence else []


def _image(number: int, slide: ReleasedSlide) -> dict[str, object]:
    return {
        "id": number,
        "file_name": slide.slide,
        "width": slide.width,
        "height": slide.height,
        "sha256": slide.sha256,
        "case": slide.case,
        "domain": slide.domain,
        "split": slide.split,
    }


def _box(
    number: int, region: ReleasedRegion, image_ids: dict[str, int], category_ids: dict[str, int], codes: list[str]
) -> dict[str, object]:
    box: dict[str, object] = {
        "id": number,
        "image_id": image_ids[region.slide.slide],
        "category_id": category_ids[region.label],
        "bbox": [region.x, region.y, region.width, region.height],
        "area": region.width * region.height,
        "segmentation": [_corners(region)],
        "iscrowd": 0,
        "region": region.region,
    }
    if region.posterior:
        box["score"] = region.posterior[codes.index(region.label)]
    return box


def _corners(region: ReleasedRegion) -> list[int]:
    left, top, right, bottom = region.x, region.y, region.x + region.width, region.y + region.height
    return [left, top, right, top, right, bottom, left, bottom]
