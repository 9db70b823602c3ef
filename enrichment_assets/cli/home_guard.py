"""Where there is no home, only commands that begin something make one; the others say where they looked.

Otherwise `enrich status` in a wrong folder would answer "no batches" from a new, empty home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import typer
from typer.models import CommandInfo

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.settings import Settings, is_remote

MAKING = frozenset({"client add", "workflow add", "pipeline add", "demo", "up"})
"""Commands that make a home where there is none."""

HOMELESS = frozenset({"sandbox", "workflow check", "workflow test"})
"""Commands that need none."""

READING_FILES = frozenset({"query", "shell", "report", "explain", "worked-at", "moves", "job-changes", "down"})
"""Commands that ask what is in the home even where the database is elsewhere (`HQ_DATABASE_URL`)."""


def guard(program: typer.Typer) -> None:
    """Let each command of the program that makes no home refuse to run without one."""
    for name, command in commands_of(program):
        if name not in MAKING | HOMELESS and command.callback is not None:
            command.callback = _guarded(command.callback, needs_home=name in READING_FILES)


def commands_of(program: typer.Typer, prefix: str = "") -> Iterator[tuple[str, CommandInfo]]:
    """Every command with its words, as `client add`."""
    for command in program.registered_commands:
        yield f"{prefix}{name_of(command)}", command
    for group in program.registered_groups:
        if group.typer_instance is not None:
            yield from commands_of(group.typer_instance, f"{prefix}{group.name} ")


def name_of(command: CommandInfo) -> str:
    """The last of the words that a person types for it."""
    return command.name or (command.callback.__name__ if command.callback else "").replace("_", "-")


def _guarded(callback: Callable[..., Any], *, needs_home: bool) -> Callable[..., Any]:
    @wraps(callback)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        refuse_homeless(Settings.from_environment(), needs_home=needs_home)
        return callback(*args, **kwargs)

    return guarded


def refuse_homeless(settings: Settings, *, needs_home: bool = False) -> None:
    """Raise `NotFoundError` where there is no home, nor a database elsewhere; with `needs_home` that is not enough."""
    needs_files = needs_home and not is_remote(settings.warehouse)
    if not settings.home.exists() and (needs_files or settings.hq_database_url is None):
        raise NotFoundError(
            f"there is no home at {settings.home}, nor in a folder above it: go to where it is, or name it in "
            "ENRICH_HOME. A new one is made by `enrich client add SLUG`, `enrich demo` or `enrich up`",
            code="home.not_found",
        )
