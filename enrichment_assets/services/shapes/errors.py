"""Errors, as programs read them."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.hints import Hint
from enrichment_assets.services.shapes.shape import Shape


@dataclass(frozen=True, slots=True)
class Error(Shape):
    """Why something was refused or failed; it stands under the key `error`.

    Attributes:
        code: A stable name to branch on: [errors](errors.md) lists all.
        what: What happened, for a person; the sentence may change.
        hints: What helps, likeliest first.
    """

    code: str
    what: str
    hints: tuple[Hint, ...]

    @classmethod
    def of(cls, error: EnrichError) -> Error:
        """From what was raised."""
        return cls(error.code, error.what, error.hints)
