"""Which single keys belong to tools, so that no class may take one.

Decides what a class key may be; refuses to know how keys are bound (the scripts do). Digits belong to classes.
"""

TOOLS: dict[str, str] = {
    "?": "the sheet of keys",
    "a": "taking answer A (Adjudicate)",
    "b": "taking answer B (Adjudicate)",
    "c": "comment and wider context",
    "f": "flagging a region",
    "h": "hiding what is drawn over the picture",
    "n": "the next one",
    "s": "skipping a region",
    "t": "definitions and examples",
    "u": "undoing",
    "z": "zooming out into the surroundings",
    "+": "zooming in",
    "=": "zooming in",
    "-": "zooming out",
    "[": "darker",
    "]": "brighter",
    "\\": "brightness as it was",
}
DIGITS = "123456789"


def tool_of(key: str) -> str:
    """What the key does on some screen, in words; "" where it is free for a class."""
    return TOOLS.get(key.lower(), "")
