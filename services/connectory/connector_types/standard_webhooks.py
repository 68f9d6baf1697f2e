"""Signatures of requests by Standard Webhooks (standardwebhooks.com), version 1: HMAC-SHA256 over id, time and body.

Its own library brings a client for HTTP along, for what are a few lines of the standard library.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from annotated_types import MaxLen, MinLen
from pydantic import AfterValidator

from connectory.connector_types.schemas import own_rule

PREFIX: Final = "whsec_"
MOST_SECRETS: Final = 5
_BYTES: Final = range(24, 65)


def _check(secret: str) -> str:
    """The text never quotes the secret."""
    if len(_key(secret)) not in _BYTES:
        raise own_rule("a signing secret is base64 of 24 to 64 random bytes, with or without whsec_ before it")
    return secret


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        return b""


SigningSecrets = Annotated[list[Annotated[str, AfterValidator(_check)]], MinLen(1), MaxLen(MOST_SECRETS)]
"""Each signs: targets that know only the one before, or only the new one, find their signature."""


def signature_headers(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """`message_id` is the same for every attempt of a request, by which the target drops repeats."""
    seconds = int(at.timestamp())
    signed = f"{message_id}.{seconds}.".encode() + body
    signatures = [hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }
