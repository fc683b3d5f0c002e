"""The errors people can meet, as sentences with a remedy.

ConcordError
├── BadInput          something sent or imported does not hold        400
├── Refused           the person's role does not allow this           403
│   └── AnotherPerson a page of one person, the session of another    403
├── TooManyTries      too many wrong passwords of late                429
├── Missing           it does not exist, or is not theirs             404
├── Conflict          the row has moved on                            409
│   ├── LeaseLost     an old token; what was entered is kept          409
│   ├── ClassesChanged  a class that the study has no more            409
│   ├── StaleDraft    another tab has saved a newer draft             409
│   └── GateClosed    open blockers stand before a freeze             409
└── TryAgain          all rows were locked for a moment               503
"""


class ConcordError(Exception):
    """Base of all errors shown to people: `message` is a sentence, `details` data for programs."""

    code = "error"
    status = 400

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadInput(ConcordError):
    code = "bad-input"


class Refused(ConcordError):
    code = "refused"
    status = 403


class Missing(ConcordError):
    code = "missing"
    status = 404


class Conflict(ConcordError):
    code = "conflict"
    status = 409


class LeaseLost(Conflict):
    code = "lease-lost"


class ClassesChanged(Conflict):
    code = "classes-changed"


class StaleDraft(Conflict):
    code = "stale-draft"


class GateClosed(Conflict):
    code = "gate-closed"


class AnotherPerson(Refused):
    code = "another-person"


class TooManyTries(ConcordError):
    code = "too-many-requests"
    status = 429


class TryAgain(ConcordError):
    code = "try-again"
    status = 503
