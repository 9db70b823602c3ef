"""Lists a page at a time: `limit` of them, and `after` what the page before said with `next`.

A cursor says behind which one a page begins, by what the list is ordered by: what comes and goes moves nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid

MOST = 1_000
NAMES = ("after", "limit")
"""How the two parameters are called."""

Key = tuple[str | int, ...]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page is asked for."""

    after: Sequence[str | int] | None
    limit: int

    def of(self, found: Iterable[_T], key: Callable[[_T], Key], shape: Callable[[_T], Any]) -> dict[str, Any]:
        """The page of a list that is at hand; it is ordered by its keys, which are all different.

        Raises the 422 of a cursor that is of another list.
        """
        rows = sorted(found, key=key)
        if self.after is not None:
            behind = tuple(self.after)
            try:
                rows = [one for one in rows if key(one) > behind]
            except TypeError:
                raise invalid(after="is no cursor of this list") from None
        following = cursor(key(rows[self.limit - 1])) if len(rows) > self.limit else None
        return page(map(shape, rows[: self.limit]), following)


def page(items: Any, following: int | str | None = None) -> dict[str, Any]:
    """A list: its members, and what leads to the next ones; null: these are the last."""
    return {"items": list(items), "next": following}


def asked_page(call: Call, otherwise: int = MOST) -> Asked:
    """The parameters of a list whose cursors are made here. Raises the 422 of a cursor that is none."""
    limit, text = call.number("limit", otherwise, MOST), call.word("after")
    return Asked(None if text is None else _key(text), limit)


def cursor(key: Key) -> str:
    """A key as it goes into an address."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def _key(text: str) -> Sequence[str | int]:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str | int) for one in found):
        raise invalid(after="is no cursor: send what `next` said")
    return found
