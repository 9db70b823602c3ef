"""Log lines about what strangers send: a few a minute of each kind, then how many were left out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

LINES = 5
SECONDS = 60.0


class FewOfEachKind(logging.Filter):
    """Lets `lines` records of a message through in `seconds`; the first of the next stretch says what was left out."""

    def __init__(self, lines: int = LINES, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._lines, self._seconds, self._now = lines, seconds, now
        self._kinds: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written. Kinds are messages before their arguments: there are few of them."""
        began, count = self._kinds.get(record.msg, (self._now(), 0))
        if self._now() - began >= self._seconds:
            left_out, began, count = max(count - self._lines, 0), self._now(), 0
            if left_out:
                record.msg, kind = f"{record.msg} ({left_out} more like this were left out)", record.msg
                self._kinds[kind] = (began, 1)
                return True
        self._kinds[record.msg] = (began, count + 1)
        return count < self._lines


def bound_log_lines() -> None:
    """Keep the receiver's and the server's lines about refused requests few."""
    for name in ("uvicorn.error", "enrichment_assets.receiver"):
        logger = logging.getLogger(name)
        if not any(isinstance(known, FewOfEachKind) for known in logger.filters):
            logger.addFilter(FewOfEachKind())
