"""Dates: the first and last day that a text can mean, and whether it says that there is no end yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.dates import read_date


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The days as ISO text, `open` as `true`; nothing where the text cannot be read."""
    reading = read_date(given["text"])
    if reading is None:
        return {"earliest": None, "latest": None, "open": None}
    days = {name: day and day.isoformat() for name, day in (("earliest", reading.earliest), ("latest", reading.latest))}
    return {**days, "open": "true" if reading.is_open else None}
