"""One request to a route, as its handler sees it: who asks, for which client, and what was sent, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request

from enrichment_assets.domain.access import Caller
from enrichment_assets.domain.versions import Seen
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.errors import ApiError, invalid

_LONGEST = 2_000
_LARGEST = 2**63 - 1
ROWS_OF_FILE = 10_000
"""Rows of a list of the console that a file has at most; a page has some hundreds."""


@dataclass(slots=True)
class Call:
    """A request that has passed the doors.

    Attributes:
        hq: The databases.
        settings: The installation.
        signing: What sessions are signed with.
        caller: Who asks; None: an open route.
        address: The network that it comes from.
        device: What the browser keeps of an earlier login.
        client: The client whom it concerns; None: all, or none.
        table: Of a page: the name of the table of it that is wanted as a file; None: the page is.
        path: The parameters of its path.
        query: The parameters behind it.
        body: The object that was sent; of a GET empty.
        seen: What whoever changes something says that they have seen of it; None: they do not say.
    """

    hq: Hq
    settings: Settings
    signing: Signing
    caller: Caller | None
    address: str
    device: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    client: str | None = None
    seen: Seen | None = None
    table: str | None = None
    _faults: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> Caller:
        """Who asks, at a route that is not open."""
        assert self.caller is not None  # noqa: S101 - the router admits nobody else
        return self.caller

    def text(self, name: str, *, needed: bool = False) -> str | None:
        """A text of the body."""
        value = self.body.get(name)
        if value is None:
            if needed:
                self._faults[name] = "is missing"
            return None
        if not isinstance(value, str) or len(value) > _LONGEST or "\x00" in value:
            self._faults[name] = f"is no text of up to {_LONGEST} characters"
            return None
        return value

    def whole(self, name: str, most: int = _LARGEST) -> int | None:
        """A whole number of the body, from 1 on; None: it was not sent."""
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            self._faults[name] = f"is no whole number from 1 to {most}"
            return None
        return value

    def texts(self, name: str, *, needed: bool = False) -> list[str]:
        """A list of texts of the body, as conditions; `needed`: one at least."""
        value = self.body.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and len(one) <= _LONGEST for one in value):
            self._faults[name] = f"is no list of texts of up to {_LONGEST} characters"
            return []
        if needed and not value:
            self._faults[name] = "is missing"
        return value

    def texts_of(self, name: str) -> list[dict[str, str]]:
        """A list of objects of the body whose members are texts; numbers are written as texts, null is left out."""
        value = self.body.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
            self._faults[name] = "is missing" if value is None else "is no list of objects"
            return []
        for number, one in enumerate(value, start=1):
            for key, cell in one.items():
                if isinstance(cell, dict | list | bool):
                    self._faults[name] = f"has an object or list in lead {number}, {key[:80]!r}: texts and numbers only"
        return [{str(key): str(cell) for key, cell in one.items() if cell is not None} for one in value]

    def flag(self, name: str) -> bool | None:
        """Yes or no of the body; None: it was not sent."""
        value = self.body.get(name)
        if value is not None and not isinstance(value, bool):
            self._faults[name] = "is not true and not false"
            return None
        return value

    def values(self, name: str, *, needed: bool = False) -> dict[str, Any]:
        """An object of the body, whatever it holds but NUL, which no database of ours keeps."""
        value = self.body.get(name)
        if value is None and not needed:
            return {}
        if not isinstance(value, dict) or b"\\u0000" in orjson.dumps(value):
            self._faults[name] = "is missing" if value is None else "is no object without NUL characters"
            return {}
        return value

    def words(self, name: str) -> dict[str, str]:
        """An object of the body whose members are texts."""
        value = self.values(name)
        if not all(isinstance(one, str) and len(one) <= _LONGEST for one in value.values()):
            self._faults[name] = f"is no object of texts of up to {_LONGEST} characters"
            return {}
        return value

    def word(self, name: str) -> str | None:
        """A text behind the path; None: it is not there."""
        value = self.query.get(name)
        if value is not None and (len(value) > _LONGEST or "\x00" in value):
            self._faults[name] = f"is no text of up to {_LONGEST} characters"
            return None
        return value

    def number(self, name: str, otherwise: int, most: int = _LARGEST) -> int:
        """A whole number behind the path, from 1 on."""
        return self._whole(name, self.query.get(name), otherwise, most)

    def rows(self, usual: int) -> int:
        """How many rows of a list are shown: more in a file than on a page."""
        return usual if self.table is None else ROWS_OF_FILE

    def path_number(self, name: str) -> int:
        """A whole number of the path."""
        return self._whole(name, self.path[name], 0, _LARGEST)

    def time(self, name: str) -> datetime | None:
        """A point in time behind the path, with its zone, as `2026-11-01T00:00:00Z`."""
        text = self.query.get(name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self._faults[name] = "is no time with its zone, as 2026-11-01T00:00:00Z"
            return None
        return at

    def checked(self, *names: str) -> None:
        """See that all that was sent is known by one of these names, and was right. Raises the 422."""
        for name in (*self.body, *self.query):
            if name not in (*names, "client") and len(self._faults) < 20:
                self._faults[name[:100]] = "is not known here"
        if self._faults:
            raise invalid(**self._faults)

    def _whole(self, name: str, text: str | None, otherwise: int, most: int) -> int:
        if text is None:
            return otherwise
        if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
            self._faults[name] = f"is no whole number from 1 to {most}"
            return otherwise
        return int(text)


async def body_of(request: Request) -> dict[str, Any]:
    """The object that a POST sends; nothing sent is an empty one. Raises the 400 of what is none."""
    if request.method != "POST":
        return {}
    raw = await request.body()
    try:
        found = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("the body is no JSON object", status=HTTPStatus.BAD_REQUEST, code="request.not_json")
    return found
