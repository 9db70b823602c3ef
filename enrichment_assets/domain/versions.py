"""Versions of what is configured, and what somebody who changes it has seen: nobody writes over what they did not see.

A version is a hash of what a thing says. It is compared in the transaction of the change, behind the thing's lock.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.errors import EnrichError


class ChangedMeanwhileError(EnrichError):
    """What is to be changed is not as whoever changes it has seen it. Nothing was changed.

    Attributes:
        version: Its version now; None: it is not there.
    """

    default_code = "config.changed_meanwhile"

    def __init__(self, what: str, version: str | None) -> None:
        super().__init__(what)
        self.version = version


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody has seen of a thing before they change it.

    Attributes:
        versions: It has to be one of these.
        anything: It has to be there, whatever it says.
    """

    versions: frozenset[str] = frozenset()
    anything: bool = False

    def check(self, version: str | None, what: str) -> None:
        """Raise `ChangedMeanwhileError` where that is not what is there now (None: nothing is)."""
        fits = (
            version is None if self == NOTHING else version is not None and (self.anything or version in self.versions)
        )
        if not fits:
            said = "is not there any more" if version is None else "was changed meanwhile"
            raise ChangedMeanwhileError(f"{what} {said}: nothing was saved", version)

    @classmethod
    def version(cls, version: str) -> Seen:
        """It was seen in this version; of an empty text: it was not there."""
        return cls(frozenset({version})) if version else NOTHING


NOTHING = Seen()
"""It was not there: it is to be new."""


def version_of(value: Any) -> str:
    """The version of a value that JSON has: 24 hex digits that change with anything in it, the order of keys apart."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:24]
