"""Help is shown as it was written."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from enrichment_assets.cli import build_app


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("client profile", ["Lists are written [one, another].", '--set "never_say=[guarantee, cheap]"']),
        ("mailbox add", ["Where replies go. [default: to it]", "[default: 20]"]),
        ("suppress list", ["[default: for every client]"]),
    ],
)
def test_words_in_brackets_are_words_of_the_help_and_no_markup(command: str, said: list[str]) -> None:
    shown = CliRunner().invoke(build_app(), [*command.split(), "--help"], env={"COLUMNS": "200"}).stdout
    words = " ".join(shown.replace("│", " ").split())
    assert [one for one in said if one not in words] == []
