"""What is asked of the DNS, as types: whoever asks gives an answer, says that there is none, or says that it failed.

A failed lookup is no empty answer: who takes one for the other tells people to publish a second SPF record.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from enrichment_assets.domain.errors import InfrastructureError


class RecordType(StrEnum):
    """Kinds of records that are asked for."""

    TXT = "TXT"
    MX = "MX"
    A = "A"
    AAAA = "AAAA"
    PTR = "PTR"


@dataclass(frozen=True, slots=True)
class Records:
    """An answer.

    Attributes:
        values: Of TXT the joined strings of each record, of MX `preference host`, of the others an address or a name;
            names in lower case without a trailing dot (the root is empty), in no order.
        exists: Whether the name exists at all, with records of this kind or others (no NXDOMAIN).
    """

    values: tuple[str, ...]
    exists: bool = True


NOTHING = Records((), exists=False)


class LookupFailedError(InfrastructureError):
    """The DNS did not say whether there is such a record: no server answered, or one refused."""


class Names(Protocol):
    """Somebody who asks the DNS."""

    def ask(self, name: str, kind: RecordType) -> Records:
        """The records of a name. Raises `LookupFailedError`."""
        ...
