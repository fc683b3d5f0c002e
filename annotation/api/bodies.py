"""JSON bodies as a database can hold them.

Decides that no text of a body has NUL or half of a surrogate pair in it, nor a depth that ends the reader: neither
jsonb nor an answer in UTF-8 could carry it. Refuses to know what the body says.
"""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class Json(JSONParser):
    """DRF's parser, with every text looked at, the names of fields too."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        if not is_storable(data):
            raise ParseError("Text may not hold NUL or half of a surrogate pair.")
        return data


def is_storable(data: Any) -> bool:
    """Whether PostgreSQL can hold every text in `data`."""
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and ("\x00" in item or any("\ud800" <= sign <= "\udfff" for sign in item)):
            return False
    return True
