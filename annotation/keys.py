"""Which single keys belong to tools of the screens on which people answer, so that no class may take one.

Decides what a class key may be; refuses to know how keys are bound (the scripts do). Digits belong to classes.
"""

TOOLS: dict[str, str] = {
    "?": "the sheet of keys",
    "a": "taking answer A (Adjudicate)",
    "b": "taking answer B (Adjudicate)",
    "c": "the surroundings of a cell (Gallery) and taking answer C (Adjudicate)",
    "f": "flagging a region",
    "g": "opening the gallery",
    "o": "the order of the cells (Gallery)",
    "r": "writing the reason (Adjudicate)",
    "s": "skipping a region",
    "t": "definitions and examples",
    "u": "undoing",
    "z": "zooming out into the surroundings",
    "+": "zooming in",
    "=": "zooming in",
    "-": "zooming out",
    "[": "darker",
    "]": "brighter",
    "{": "less contrast",
    "}": "more contrast",
    "\\": "brightness and contrast as they were",
}


def tool_of(key: str) -> str:
    """What the key does on some screen, in words; "" where it is free for a class."""
    return TOOLS.get(key.lower(), "")
