"""Where the database's clock stands by ours: not exactly, but between two bounds that hold.

Runs on several machines share time by the database's clock. Each answer that carries its time bounds the difference:
the database looked at its clock after we asked and before we had the answer. The bounds of many answers together are
as tight as the quickest of them, however late this process was to read the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DRIFT = 0.0005
"""Seconds that the clocks may move apart in a second: the most that NTP corrects a clock by."""


@dataclass(slots=True)
class DatabaseClock:
    """Bounds of (our time - the database's time), in seconds."""

    _least: float = -math.inf
    _most: float = math.inf
    _seen: float = 0.0

    @property
    def uncertainty(self) -> float:
        """Seconds between the two bounds; infinite before the first answer."""
        return self._most - self._least

    def learn(self, asked: float, theirs: float, answered: float) -> None:
        """The database's clock showed `theirs` at some moment between `asked` and `answered` of ours."""
        widened = max(answered - self._seen, 0.0) * DRIFT
        least, most = max(self._least - widened, asked - theirs), min(self._most + widened, answered - theirs)
        if least > most:  # one of the clocks was set: only this answer counts
            least, most = asked - theirs, answered - theirs
        self._least, self._most, self._seen = least, most, answered

    def not_before(self, theirs: float) -> float:
        """The first moment of ours at which it is certainly not before `theirs` there."""
        return theirs + self._most

    def not_after(self, theirs: float) -> float:
        """The last moment of ours at which it is certainly not after `theirs` there."""
        return theirs + self._least
