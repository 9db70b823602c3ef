"""Entity tags (RFC 9110, "Conditional Requests"): what a program has seen of a thing that it asks for or changes.

A thing's tag is its version (`domain.versions`), which the service compares in the transaction of the change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from enrichment_assets.domain.versions import NOTHING, Seen
from enrichment_assets.web.api.errors import invalid

IF_MATCH, IF_NONE_MATCH = "if-match", "if-none-match"
_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e]*"\s*)*')
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


@dataclass(frozen=True, slots=True)
class Versioned:
    """What a handler gives of a thing that has a version."""

    shown: Any
    version: str


def tag(version: str) -> str:
    """A version as `ETag` says it."""
    return f'"{version}"'


def seen_by(request: Request) -> Seen | None:
    """What whoever changes a thing has seen of it; None: they do not say. Raises the 422 of a header that is none.

    `If-Match: "..."` it has to be as then, `If-Match: *` there at all, `If-None-Match: *` new.
    """
    wanted, unwanted = (_values(request, name) for name in (IF_MATCH, IF_NONE_MATCH))
    if wanted and unwanted:
        raise invalid(**{"If-None-Match": "is not sent together with If-Match"})
    if unwanted is not None:
        if unwanted != ["*"]:
            raise invalid(**{"If-None-Match": "is * where something is changed: it is to be new"})
        return NOTHING
    if wanted is None:
        return None
    strong = frozenset(version for one in wanted for weak, version in _TAG.findall(one) if not weak)
    return Seen(strong or frozenset({""}), anything=wanted == ["*"])


def is_known(request: Request, version: str) -> bool:
    """Whether who asks has this version already, so that it need not be sent. Raises as `seen_by`."""
    known = _values(request, IF_NONE_MATCH)
    return known is not None and (known == ["*"] or any(version == it for one in known for _, it in _TAG.findall(one)))


def _values(request: Request, name: str) -> Sequence[str] | None:
    """The lines of a header of tags; None: it was not sent."""
    lines = [line.strip() for line in request.headers.getlist(name)]
    if not lines:
        return None
    if lines != ["*"] and not all(_TAGS.fullmatch(line) for line in lines):
        raise invalid(
            **{"-".join(map(str.capitalize, name.split("-"))): 'is no list of entity tags, as "5f2c...", and not *'}
        )
    return lines
