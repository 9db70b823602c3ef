"""Drafts and their approval: what exactly is approved, and what makes an approval void.

A workflow names the provided fields that are drafts (`drafts: [draft_subject, draft_body]`). What a person approves is
the bytes of those fields as the lead has them; with them are kept the facts that the workflow reads of the lead and the
template that it writes by. When any of the three is another one, the approval is void.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Decision(StrEnum):
    """What a person said of a draft."""

    APPROVED = "approved"
    REJECTED = "rejected"


class Standing(StrEnum):
    """Where a draft stands."""

    WAITING = "waiting"
    """Nobody has said anything of these bytes."""
    APPROVED = "approved"
    REJECTED = "rejected"
    OUTDATED = "outdated"
    """It was approved, and draft, facts or template are others since."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """What an approval is bound to, each as a SHA-256 of 32 bytes.

    Attributes:
        draft: Of the draft's fields.
        facts: Of what the workflow reads of the lead.
        template: Of what the workflow asks and how its answer is read, with the client's settings and profile.
    """

    draft: bytes
    facts: bytes
    template: bytes


@dataclass(frozen=True, slots=True)
class Decided:
    """The latest that a person said of a draft, and of which bytes."""

    decision: Decision
    of: Bytes


def draft_bytes(values: Mapping[str, Any]) -> bytes:
    """The exact bytes of fields: JSON in UTF-8 with sorted names, no blanks, nothing escaped that need not be.

    A field without a value is left out: that one was emptied and that it never was there is the same to a reader.
    """
    there = {name: value for name, value in values.items() if value is not None}
    return json.dumps(there, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def sha256(values: Mapping[str, Any]) -> bytes:
    """The hash of `draft_bytes`."""
    return hashlib.sha256(draft_bytes(values)).digest()


def standing_of(now: Bytes, decided: Decided | None) -> Standing:
    """Where a draft of these bytes stands after what was said of it last; a rejected one that changed waits again."""
    if decided is None:
        return Standing.WAITING
    if decided.decision is Decision.REJECTED:
        return Standing.REJECTED if decided.of.draft == now.draft else Standing.WAITING
    return Standing.APPROVED if decided.of == now else Standing.OUTDATED


def changed(now: Bytes, decided: Decided) -> tuple[str, ...]:
    """What is another one than it was then: `draft`, `facts`, `template`."""
    return tuple(name for name in ("draft", "facts", "template") if getattr(now, name) != getattr(decided.of, name))


def drafts_fault(drafts: Sequence[str], provides: Collection[str]) -> str | None:
    """Which draft is no field that the workflow provides; None: each is."""
    missing = next((name for name in drafts if name not in provides), None)
    return None if missing is None else f"drafts: the workflow does not provide {missing}"
