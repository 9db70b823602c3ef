"""A message that was kept as it came, for a person: facts about it, its headers and its body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.cli.sentences import say


def say_kept(facts: Mapping[str, Any], headers: Mapping[str, str], body: tuple[str, str], *, width: int) -> None:
    """Print it; `body`: its form and its text, `width`: characters of the column of names."""
    from enrichment_assets.domain.visible import visible

    for name, value in facts.items():
        say(f"{name:{width}} {visible(str(value)) if value is not None else '-'}")
    for name, value in headers.items():
        say(f"{'header':{width}} {visible(name)}: {visible(value)}")
    form, text = body
    say(f"body ({form}):\n{text}")
