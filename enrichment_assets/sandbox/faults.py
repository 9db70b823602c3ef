"""Which fault strikes a call, and how a good answer is spoiled.

A fault is drawn from the seed, the question and how often it was asked before: the first attempt fails or not, the
same in every process, and its retry has a fate of its own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import orjson

from enrichment_assets.sandbox.seeded_random import SeededRandom
from enrichment_assets.sandbox.settings import Behaviour


class Fate(StrEnum):
    """What happens to one call."""

    NORMAL = "normal"
    ERROR = "error"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    RESET = "reset"
    GARBAGE = "garbage"
    WRONG_TYPES = "wrong_types"


HTML = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>"
)


def draw_fate(behaviour: Behaviour, rng: SeededRandom, attempt: int) -> Fate:
    """The fate of the `attempt`-th (from 0) time that one question is asked."""
    if behaviour.fault_attempts is not None and attempt >= behaviour.fault_attempts:
        return Fate.NORMAL
    drawn = rng.roll()
    for share, fate in (
        (behaviour.errors, Fate.ERROR),
        (behaviour.rate_limited, Fate.RATE_LIMITED),
        (behaviour.timeouts, Fate.TIMEOUT),
        (behaviour.resets, Fate.RESET),
        (behaviour.garbage, Fate.GARBAGE),
        (behaviour.wrong_types, Fate.WRONG_TYPES),
    ):
        if drawn < share:
            return fate
        drawn -= share
    return Fate.NORMAL


def spoil(body: bytes, content_type: str, kind: str, rng: SeededRandom) -> tuple[bytes, str]:
    """A body that cannot be read, and the content type that it claims."""
    if kind == "any":
        kind = rng.pick(("invalid", "truncated", "html", "empty"))
    if kind == "html":
        return HTML, "text/html"
    if kind == "empty":
        return b"", content_type
    if kind == "truncated":
        return body[: max(1, int(len(body) * (0.2 + 0.6 * rng.roll())))], content_type
    return b'{"status": ok, \x00\xff' + body[1:40], content_type


def with_wrong_types(body: bytes) -> bytes:
    """The same JSON with texts as numbers, numbers as texts, lists as objects and objects as lists, two levels down."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    return orjson.dumps(_mistyped(value, depth=0))


def _mistyped(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        if depth < 2:
            return {name: _mistyped(member, depth + 1) for name, member in value.items()}
        return list(value)
    if isinstance(value, list):
        return {str(place): member for place, member in enumerate(value)}
    if isinstance(value, bool) or value is None:
        return "unknown"
    if isinstance(value, int | float):
        return f"{value}?"
    return 0
