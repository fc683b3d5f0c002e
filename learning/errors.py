"""What callers tell apart without loading what raises it."""


class EncoderError(ValueError):
    """An encoder can't do its work: its file is missing, damaged or not fit for it. The text names file and remedy."""
