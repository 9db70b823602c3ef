"""`enrich`: the command line. Each noun is a module here; this one only puts them together and prints errors.

Commands parse and print; the work is in `services`. An `EnrichError` is one line on standard error and exit code 1.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import typer

from enrichment_assets.cli.env_file import load_env_files
from enrichment_assets.cli.hints import tell
from enrichment_assets.cli.home_guard import guard
from enrichment_assets.cli.literal_help import take_literally
from enrichment_assets.cli.opening import close_after_commands
from enrichment_assets.cli.panels import arrange
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.warm import run_or_hand_over
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.installation.running_stack import adopt_running_addresses
from enrichment_assets.lean_start import start_lean

GROUPS = (
    "client",
    "workflow",
    "pipeline",
    "lead",
    "source",
    "callbacks",
    "budget",
    "suppress",
    "alert",
    "person",
    "organisation",
    "webhook",
    "events",
    "gate",
    "delivery",
    "review",
    "mailbox",
    "mail",
    "proposals",
    "instantly",
    "campaign",
    "destination",
    "user",
    "api_key",
)
"""Modules with commands below a word: `enrich client add`."""

COMMANDS = (
    "upload",
    "trying",
    "launch",
    "freshness",
    "discover",
    "batch",
    "run",
    "holding",
    "recovery",
    "asking",
    "audit",
    "query",
    "careers",
    "report",
    "explain",
    "export",
    "deliver",
    "tidying",
    "shell",
    "demo",
    "up",
    "api",
    "mcp",
    "sandbox",
)
"""Modules with commands of their own: `enrich status`."""


OFTEN = {
    "launch": "launch",
    "query": "query",
    "run": "run",
    "stats": "batch",
    "status": "batch",
    "upload": "upload",
}
"""Commands that people give again and again, and their modules: nothing else is made ready for them."""


def build_app(groups: Sequence[str] = GROUPS, commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """The program: the whole of it, or these modules."""
    app = typer.Typer(
        name="enrich",
        help=(
            "B2B enrichment: upload lists, run each client's pipeline over them, query and deliver the results.\n\n"
            "First steps: enrich client add acme; enrich upload people.csv --client acme; "
            "enrich launch 1 --pipeline apollo-basic --dry-run."
        ),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in groups:
        app.add_typer(import_module(f"enrichment_assets.cli.{name}").app, name=name.replace("_", "-"))
    for name in commands:
        import_module(f"enrichment_assets.cli.{name}").register(app)
    close_after_commands(app)
    guard(app)
    arrange(app)
    take_literally(app)
    return app


@cache
def built_command(word: str | None) -> Callable[..., Any]:
    """What a command line that begins with this word is read by, made once: a copy of this process has it already.

    The whole program is made of the signatures of a hundred functions, which takes as long as some commands do.
    """
    if word in OFTEN:
        return typer.main.get_group(build_app((), (OFTEN[word],)))
    return typer.main.get_command(build_app())


def main() -> None:
    """Entry point of the `enrich` program."""
    start_lean()
    os.umask(0o077)  # what a command makes holds client data: for this account only
    load_env_files(warn=lambda text: say(f"enrich: warning: {text}", err=True))
    run_or_hand_over(run_program)


# opens files of ours: the null device
def run_program() -> None:
    """Run the command of `sys.argv` in this process."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    try:
        adopt_running_addresses()
        built_command(next(iter(sys.argv[1:]), None))()
    except EnrichError as error:
        tell(error, sys.argv[1:])
        sys.exit(getattr(error, "exit_code", 1))
    except BrokenPipeError:  # `enrich query ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
