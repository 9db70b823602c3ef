"""The panels of `enrich --help`: commands by what a person wants to do."""

from __future__ import annotations

import typer

from enrichment_assets.cli.home_guard import name_of

PANELS = {
    "Start": ("demo", "up", "down", "sandbox"),
    "Set up": ("client", "workflow", "pipeline", "budget", "suppress", "alert", "webhook"),
    "Lists in": ("discover", "proposals", "upload", "uploads", "rejections", "lead", "source"),
    "Batches": ("try", "launch", "freshness", "run", "pause", "resume", "cancel", "priority", "status", "stats"),
    "When something went wrong": ("retry", "ask", "resolve", "replay", "callbacks"),
    "Who may, and who did": ("user", "api-key", "audit", "api", "mcp"),
    "Before anything leaves": ("review", "gate", "mailbox", "mail"),
    "What comes back": ("events",),
    "Results": ("export", "extract", "query", "shell", "report", "explain", "edit"),
    "Deliver": ("deliver", "delivery", "destination"),
    "Outreach": ("campaign", "instantly"),
    "Careers": ("worked-at", "moves", "job-changes", "organisation"),
    "People": ("person",),
    "Tidy up": ("give-up", "archive", "archived", "restore", "remove", "retention"),
}
"""A command that no panel names stands under "Commands"."""


def arrange(program: typer.Typer) -> None:
    """Put each command of the program into its panel, the panels in their order."""
    panel_of = {name: panel for panel, names in PANELS.items() for name in names}
    order = [name for names in PANELS.values() for name in names]
    program.registered_commands.sort(key=lambda c: order.index(name_of(c)) if name_of(c) in order else len(order))
    for command in program.registered_commands:
        command.rich_help_panel = panel_of.get(name_of(command), command.rich_help_panel)
    for group in program.registered_groups:
        group.rich_help_panel = panel_of.get(str(group.name), group.rich_help_panel)
