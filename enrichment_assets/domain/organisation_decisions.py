"""What a person says about the names of organisations, as data that the next build of them honours."""

from __future__ import annotations

from enum import StrEnum


class DecisionKind(StrEnum):
    """What was decided."""

    JOIN = "join"
    """Two aliases name one organisation."""
    APART = "apart"
    """An alias names an organisation of its own, whatever it is found together with."""
