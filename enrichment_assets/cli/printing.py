"""JSON for programs. Money stays an exact decimal, as text."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

import typer

from enrichment_assets.domain.visible import visible_json


def print_json(value: Any) -> None:
    """Print dataclasses, lists and mappings as indented JSON."""
    typer.echo(visible_json(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=_as_json)))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(member) for member in value] if isinstance(value, list | tuple) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return str(value)
