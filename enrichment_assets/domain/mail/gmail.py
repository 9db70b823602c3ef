"""What is said to Gmail's API of a message, and what is read of its answers.

developers.google.com/gmail/api: a message is its bytes, base64url, in `raw`. A thread is joined by its `threadId`
together with `References` and the same subject. Gmail keeps a Message-ID of ours as it is unless it does not like it;
then the original stands in `X-Google-Original-Message-ID`, and the answer to `send` tells neither.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from typing import Any

from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.provider import RenderedRequest

USER = "/gmail/v1/users/me"
SEND = f"{USER}/messages/send"
ORIGINAL_ID = "X-Google-Original-Message-ID"

LOOKED_BACK = "newer_than:7d"
"""How far a message is looked for whose Message-ID Gmail may have changed."""

_JSON = {"content-type": "application/json"}


def send_request(message: bytes, *, thread: str | None = None) -> RenderedRequest:
    """The request that sends a message's bytes.

    Args:
        message: A whole message (RFC 5322), as it was approved.
        thread: Gmail's `threadId` of the mail that it follows; None: that is looked for, or it begins a thread.
    """
    told: dict[str, Any] = {"raw": base64.urlsafe_b64encode(message).decode()}
    if thread is not None:
        told["threadId"] = thread
    return RenderedRequest("POST", SEND, _JSON, content=json_bytes(told))


@dataclass(frozen=True, slots=True)
class Sent:
    """What identifies a message of ours: its Message-ID with its brackets, and to whom it goes."""

    message_id: str
    recipient: str
    follows: str | None = None
    """The Message-ID of the mail that it answers; None: it begins a thread."""


def sent_of(body: Mapping[str, Any]) -> Sent | None:
    """What a request says of its message; None: it is no message with a Message-ID and a recipient."""
    raw = body.get("raw")
    if not isinstance(raw, str):
        return None
    try:
        content = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))
    except ValueError:
        return None
    headers = BytesHeaderParser(policy=compat32).parsebytes(content)
    recipients = [address for _, address in getaddresses([str(headers.get("To", ""))]) if "@" in address]
    message_id = str(headers.get("Message-ID", "")).strip()
    follows = str(headers.get("In-Reply-To", "")).strip() or None
    return Sent(message_id, recipients[0], follows) if message_id and recipients else None


def header_of(message: Mapping[str, Any], name: str) -> str | None:
    """A header of a message that was asked for with `format=metadata`; None: it has none."""
    payload = message.get("payload")
    listed = payload.get("headers") if isinstance(payload, Mapping) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, Mapping) and str(one.get("name", "")).lower() == name.lower():
            return str(one.get("value", "")).strip() or None
    return None


def raw_of(message: Mapping[str, Any]) -> bytes | None:
    """The bytes of a message that was asked for with `format=raw`; None: it has none."""
    raw = message.get("raw")
    try:
        return base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)) if isinstance(raw, str) else None
    except ValueError:
        return None
