"""Help that says what its text says: `[one, another]` and `[default: today]` are words, no markup."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from enrichment_assets.cli.home_guard import commands_of


class LiteralCommand(TyperCommand):
    """A command whose help is shown letter by letter."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        _take_literally(self)
        super().format_help(ctx, formatter)


class LiteralGroup(TyperGroup):
    """A group whose help, and the first lines of whose commands, are shown letter by letter."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        for command in (self, *self.commands.values()):
            _take_literally(command)
        super().format_help(ctx, formatter)


def take_literally(program: typer.Typer) -> None:
    """Have no text of the program's help read as markup."""
    program.info.cls = LiteralGroup
    for _, command in commands_of(program):
        command.cls = LiteralCommand


def _take_literally(command: Any) -> None:
    from rich.markup import escape

    if command.help is not None:
        command.help = escape(command.help)
    for parameter in command.params:
        if isinstance(parameter, TyperOption | TyperArgument) and parameter.help:
            parameter.help = escape(parameter.help)
