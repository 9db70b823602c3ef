"""The database handle of a command: it connects with its first use, and is closed when the command ends."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

import typer

from enrichment_assets.cli.home_guard import commands_of
from enrichment_assets.settings import Settings

if TYPE_CHECKING:
    from enrichment_assets.store.hq import Hq

_of_process = ExitStack()
atexit.register(_of_process.close)

_of_command: ContextVar[ExitStack] = ContextVar("_of_command", default=_of_process)
"""What is closed when the command ends; a command that is run without the whole program ends with the process."""


def close_after_commands(program: typer.Typer) -> None:
    """Let each command of the program close what `opened_hq` gave it."""
    for _, command in commands_of(program):
        if command.callback is not None:
            command.callback = _closing(command.callback)


def opened_hq(settings: Settings | None = None) -> Hq:
    """The handle of the command that runs.

    Args:
        settings: Which installation; default: the one of the environment.
    """
    from enrichment_assets.installation.databases import open_hq

    return _of_command.get().enter_context(open_hq(settings or Settings.from_environment()))


def close_opened() -> None:
    """Close what the command that runs has opened so far; it may open it again."""
    _of_command.get().close()


def _closing(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def closing(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as opened:
            token = _of_command.set(opened)
            try:
                return callback(*args, **kwargs)
            finally:
                _of_command.reset(token)

    return closing
