"""What a row of the table of routes says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from enrichment_assets.domain.access import Permission
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.web.api.calls import Call

PREFIX = "/api/v1"
ALIASES = "/api"
"""Where routes stand whose path and shapes other tools know already."""


class Whoever(Enum):
    """Who may, where it takes no permission."""

    ANYBODY = "anybody"
    """Also who is not known: what lets people in."""
    KNOWN = "known"
    """Whoever is known."""


class ClientBy(Enum):
    """By what the client whom a request concerns is known."""

    NOTHING = "nothing"
    """It concerns no client: the permission has to be for all of them."""
    QUERY = "query"
    """The parameter `client`; without it all, or the one for whom alone the caller has the permission."""
    BATCH = "batch"
    """The batch of the path: what belongs to a client whom the caller does not see is not there."""
    UPLOAD = "upload"
    """The upload of the path, in the same way."""
    PATH = "path"
    """The client of the path, in the same way."""
    BODY = "body"
    """The member `client` of what is sent; without it the one for whom alone the caller has the permission."""


Kind = Literal["text", "texts", "number", "time", "objects", "object", "words", "flag", "cursor"]


@dataclass(frozen=True, slots=True)
class Takes:
    """A member of a body, or a parameter: its name, what kind of value it is, and what it says."""

    name: str
    kind: Kind
    says: str
    needed: bool = False


_LIMIT = Takes("limit", "number", "how many at most")
BY_CURSOR = (Takes("after", "cursor", "what `next` of the page before said"), _LIMIT)
"""Parameters of a list."""

BY_NUMBER = (Takes("after", "number", "what `next` of the page before said"), _LIMIT)
"""Of a list whose members have numbers."""


@dataclass(frozen=True, slots=True)
class Route:
    """One row: nothing is served that has none.

    Attributes:
        method: GET or POST.
        path: Behind its prefix.
        needs: The permission that it takes.
        client: By what its client is known.
        handler: What it does.
        prefix: What stands before its path.
        takes: The members of its body, or parameters behind its path.
        gives: The shape of its answer; None: an object of few members.
        gives_many: It answers with a list of these, a page at a time.
        status: Of an answer that is as asked.
        is_versioned: Its answer has an entity tag: a GET that knows it is answered without one, a POST that has seen
            another one changes nothing.
        takes_file: What it is sent is a file, and no JSON.
    """

    method: str
    path: str
    needs: Permission | Whoever
    client: ClientBy
    handler: Callable[[Call], Any]
    prefix: str = PREFIX
    takes: tuple[Takes, ...] = ()
    gives: type[Shape] | None = None
    gives_many: bool = False
    status: int = 200
    is_versioned: bool = False
    takes_file: bool = False

    @property
    def address(self) -> str:
        """Its whole path."""
        return self.prefix + self.path
