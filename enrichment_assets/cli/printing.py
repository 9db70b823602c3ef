"""`--json`: the one option of all commands that have it, and how a shape is printed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.hints import worded
from enrichment_assets.domain.visible import visible_json

if TYPE_CHECKING:
    from enrichment_assets.services.shapes.shape import Shape

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs: docs/json.md says which keys.")]


def print_json(value: Shape | Iterable[Shape] | Mapping[str, Shape]) -> None:
    """Print a noun, a list of them, or an object of them by name, as indented JSON."""
    from enrichment_assets.services.shapes.shape import plain

    typer.echo(visible_json(json.dumps(plain(value, worded), indent=2, ensure_ascii=False, allow_nan=False)))
