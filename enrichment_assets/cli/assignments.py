"""Reading `path=value` options."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import typer

from enrichment_assets.domain.errors import ConfigurationError


def parse_values(assignments: Sequence[str], option: str) -> dict[str, Any]:
    """`limits.per_second=2` -> `{"limits.per_second": 2}`; the value is a YAML scalar or flow collection."""
    return {path: _value(text) for path, text in _pairs(assignments, option)}


def parse_names(assignments: Sequence[str], option: str) -> dict[str, str]:
    """`api_key=ACME_KEY` -> `{"api_key": "ACME_KEY"}`."""
    return dict(_pairs(assignments, option))


def _pairs(assignments: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs = []
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path.strip():
            raise typer.BadParameter(f"{option} takes name=value")  # the text may hold a secret: not repeated
        pairs.append((path.strip(), text.strip()))
    return pairs


def _value(text: str) -> Any:
    """YAML, but for text that only looks like a number or a date: `007`, `1:30` and `2026-01-31` stay text."""
    from enrichment_assets.domain.yaml_text import load_yaml

    try:
        value = load_yaml(text, "the value")
    except ConfigurationError:
        return text
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if str(value) == text or _plain_decimal(text) else text
    return _without_days(value) if value is None or isinstance(value, bool | str | list | dict) else text


def _without_days(value: Any) -> Any:
    """YAML's own dates inside a list or mapping as text again: `{as_of: 2026-11-28}`."""
    if isinstance(value, dict):
        return {name: _without_days(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_days(member) for member in value]
    return value.isoformat() if isinstance(value, date) else value


def _plain_decimal(text: str) -> bool:
    whole, _, fraction = text.removeprefix("-").partition(".")
    return whole.isdecimal() and fraction.isdecimal() and (len(whole) == 1 or not whole.startswith("0"))
