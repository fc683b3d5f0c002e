"""Names that tell nothing: random tokens, and study-bound digests of things that must not be shown."""

import hashlib
import hmac
import secrets


def token() -> str:
    """A random name of 128 bits for a lease: carries no order and no time."""
    return secrets.token_urlsafe(16)


def secret() -> str:
    """A fresh 256-bit secret in hex."""
    return secrets.token_hex(32)


def public_id(study_secret: str, *parts: object) -> str:
    """A name of 20 hex digits that only the study's secret links to `parts`; the same each time."""
    message = "\x1f".join(str(part) for part in parts).encode()
    return hmac.new(bytes.fromhex(study_secret), message, hashlib.sha256).hexdigest()[:20]
