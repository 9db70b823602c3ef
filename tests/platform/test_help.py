"""Help is shown as it was written."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from enrichment_assets.cli import OFTEN, build_app, built_command
from enrichment_assets.cli.warm import HANDED_OVER


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


@pytest.mark.parametrize("word", sorted({*OFTEN, *HANDED_OVER}))
def test_a_command_that_is_made_ready_alone_is_the_one_of_the_whole_program(
    word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = []
    for program in (built_command(word), built_command(None)):
        program([word, "--help"], prog_name="enrich", standalone_mode=False)
        shown.append(capsys.readouterr().out)
    assert f"Usage: enrich {word} " in shown[0]
    assert shown[0] == shown[1]


def test_a_word_that_no_module_is_named_for_is_read_by_the_whole_program() -> None:
    for word in (None, "--help", "client", "quury"):
        assert {"client", "status", "query"} <= set(built_command(word).commands)  # type: ignore[attr-defined]
