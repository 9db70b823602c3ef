"""A step whose first answers are all the same refusal: it pauses, rather than to fail every row of the batch.

An address that does not exist, a workflow that is switched off, a page of a gateway: the tenth equal refusal in a row
teaches nothing. A refusal is an answer with another status than 2xx that is no miss, no rate limit and no outage (those
have gates and breakers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from enrichment_assets.domain.statuses import ErrorClass, SkipReason, Status

PAUSES_AT = 10
"""Equal refusals from the start: fewer may be about the rows."""

PAUSE = 900.0
"""Seconds until one more call finds out whether it is still refused."""

_NUMBER = re.compile(r"(?<!HTTP )\b\d+")


@dataclass(slots=True)
class Refusals:
    """What a step was answered so far in this batch: equal refusals and nothing else, or something else."""

    kind: str | None = None
    count: int = 0
    answered_otherwise: bool = False

    def remember(self, reason: str, count: int) -> None:
        """What earlier runs were refused with: one more call may find out whether it still is."""
        self._add(reason, min(count, PAUSES_AT - 1))

    def note(self, status: Status, error_class: ErrorClass | None, reason: str, http_status: int) -> str | None:
        """Learn how an answer ended a state. Why the step is to pause, when it is."""
        if status is Status.PENDING:
            return None
        if 200 <= http_status < 300 or not _is_refusal(status, error_class, reason):
            self.answered_otherwise = True
            return None
        self._add(reason, 1)
        if self.answered_otherwise or self.count < PAUSES_AT:
            return None
        return f"the first answers were all the same refusal ({reason}): it would be the same for every row"

    def _add(self, reason: str, count: int) -> None:
        kind = _NUMBER.sub("0", reason)
        self.answered_otherwise |= self.kind not in (None, kind)
        self.kind, self.count = kind, self.count + count


def _is_refusal(status: Status, error_class: ErrorClass | None, reason: str) -> bool:
    if status is Status.SKIPPED:
        return reason.startswith(SkipReason.INVALID_INPUT.value)
    return status is Status.FAILED and error_class is ErrorClass.CONTRACT
