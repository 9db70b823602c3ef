"""E-mails: the first address of a cell that can be somebody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.emails import normalise_email


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`email` of the cell `text`."""
    return {"email": normalise_email(given["text"])}
