"""Sentences of a command: wrapped between words on a terminal, one line each where a program reads."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import IO

import typer

from enrichment_assets.domain.visible import visible

LEAST_WIDTH = 40
"""Columns below which nothing is laid out narrower."""

_COMMAND = re.compile(r"`[^`]+`")
_KEPT_SPACE = "\ue000"
"""A private character in place of a space at which a line must not break."""


def on_terminal(*, err: bool = False) -> bool:
    """Whether a person looks at what is printed."""
    stream: IO[str] = sys.stderr if err else sys.stdout
    return stream.isatty()


def terminal_width() -> int:
    """Columns of the terminal (`COLUMNS` wins)."""
    return max(shutil.get_terminal_size().columns, LEAST_WIDTH)


def say(text: str, *, err: bool = False, indent: str = "", bold: bool = False) -> None:
    """Print a sentence.

    On a terminal it is wrapped between words: identifiers are not broken, and what stands in backticks stays on one
    line where it can. Elsewhere it is printed as it is. `indent` stands before each line but the first.
    """
    if not on_terminal(err=err):
        typer.echo(visible(text), err=err)
        return
    for line in visible(text).split("\n"):
        for wrapped in _wrapped(line, terminal_width(), indent):
            typer.echo(typer.style(wrapped, bold=True) if bold and _styled() else wrapped, err=err)


def _wrapped(line: str, width: int, indent: str) -> list[str]:
    """The line in lines that fit; only a word that is longer than a whole line is broken."""
    from rich.console import Console
    from rich.text import Text

    own = line[: len(line) - len(line.lstrip())]
    room = max(width - len(own + indent), 1)
    text = Text(_COMMAND.sub(lambda found: _kept_together(found.group(), room), line.strip()))
    lines = [part.plain.rstrip().replace(_KEPT_SPACE, " ") for part in text.wrap(Console(width=room), room)]
    return [f"{own}{indent if number else ''}{part}" for number, part in enumerate(lines)] or [""]


def _kept_together(command: str, width: int) -> str:
    return command.replace(" ", _KEPT_SPACE) if len(command) <= width else command


def _styled() -> bool:
    return "NO_COLOR" not in os.environ
