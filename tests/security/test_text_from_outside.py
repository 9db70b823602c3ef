"""What a cell, a file or an option says does nothing to a terminal, to memory, or to other clients' files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from enrichment_assets.cli.assignments import parse_values
from enrichment_assets.cli.printing import print_json
from enrichment_assets.cli.tables import print_table
from enrichment_assets.domain.client_slugs import checked_client_slug
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.visible import visible, visible_json
from enrichment_assets.domain.yaml_text import MAX_CHARACTERS, MAX_DEPTH, load_yaml
from enrichment_assets.registry.loader import parse_workflow
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.session import connect

CONTROLS = "".join(map(chr, [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202E, 0x2066, 0x200B, 0x2028, 0xFEFF]))


def acting(text: str) -> set[str]:
    """Characters of `CONTROLS` in it, line ends and the tabs between cells apart."""
    return set(text) & (set(CONTROLS) - set("\n\t"))


def test_no_table_prints_a_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = [f"a{c}b" for c in CONTROLS]
    print_table(hostile, [hostile], title=CONTROLS)
    print_json({"cells": hostile, **dict.fromkeys(hostile, 1)})
    assert acting(capsys.readouterr().out) == set()


def test_markup_in_a_column_name_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["[red]x[/red]", "[bold]"], [["[link=file:///x]y[/link]", 1]])
    shown = capsys.readouterr().out
    assert "[red]x[/red]" in shown
    assert "[link=file:///x]y[/link]" in shown


@pytest.mark.parametrize("text", ["Zoë Müller", "李小龙", "naïve – “quoted”", "عمر", "a\tb\nc", "👩‍💻"[:1]])
def test_letters_of_any_script_are_shown_as_they_are(text: str) -> None:
    assert visible(text) == text
    assert visible_json(json.dumps(text, ensure_ascii=False)) == json.dumps(text, ensure_ascii=False)


def test_json_made_fit_for_a_screen_says_the_same() -> None:
    value = {"cell": CONTROLS, CONTROLS: "é"}
    assert json.loads(visible_json(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x [1, 2]\nb: *x", "line 2: aliases"),
        ("a: 1\na: 2", "'a' comes twice"),
        ("request:\n  url: /x\n  url: /y", "line 2: 'url' comes twice"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested deeper"),
        ("{a: " * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "nested deeper"),
        ("[" * 100_000, "nested deeper"),
        ("a: [1, 2", "is not YAML"),
        ("a: b: c", "is not YAML"),
        ("\tx", "is not YAML"),
        ("a: 2026-13-45", "is not YAML"),
        ("!!python/object/apply:os.getcwd []", "is not YAML"),
        ("!unknown x", "is not YAML"),
        ("%YAML 9.9\n---\na: 1", "is not YAML"),
        ("a: \x00", "is not YAML"),
        ("---\na: 1\n---\nb: 2", "is not YAML"),
        ("? [a, b]\n: 1", "is not YAML|mapping"),
        ("x" * (MAX_CHARACTERS + 1), "is longer than"),
    ],
)
def test_every_mistake_in_a_file_is_one_sentence(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        load_yaml(text, "mine.yaml")
        parse_workflow(text, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml: ")
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_what_is_plain_is_read_as_before() -> None:
    text = "a: 1\nb: [x, {c: null}]\nd: |\n  two\n  lines\n'e': true\n<<: {f: 1}\n"
    assert load_yaml(text, "x") == yaml.safe_load(text)


def test_an_option_with_an_alias_stays_text() -> None:
    assert parse_values(["a=*x", "b=[1, 2]", "c=&x 1"], "--set") == {"a": "*x", "b": [1, 2], "c": "&x 1"}


@pytest.mark.parametrize(
    "slug", ["*", "../acme", "acme/..", "Acme", "", "a" * 64, "acme\n", "client_slug=acme", "a?", "[a]"]
)
def test_what_is_no_clients_slug_names_no_folder(tmp_path: Path, slug: str) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(ConfigurationError, match="not a client's slug"):
        layout.all_of("models", "final_leads", slug)
    with pytest.raises(ConfigurationError, match="not a client's slug"):
        layout.model("final_leads", slug, "acme-1")
    with pytest.raises(ConfigurationError, match="not a client's slug"):
        checked_client_slug(slug)


@pytest.mark.parametrize("key", ["*", "../x", "a...b", "a/b", ""])
def test_what_is_no_batch_key_names_no_file(tmp_path: Path, key: str) -> None:
    layout = Layout(tmp_path)
    for look in (lambda: layout.client_of(key), lambda: layout.source("batches", "acme", key)):
        with pytest.raises(ConfigurationError, match="not a batch key"):
            look()


def test_a_question_cannot_fill_the_disk(settings: Settings) -> None:
    settings.warehouse_dir.mkdir(parents=True)
    with connect(Layout.of(settings), for_questions=True) as connection:
        bound = connection.execute("select current_setting('max_temp_directory_size')").fetchall()[0][0]
    assert bound not in ("", "0 bytes", "90% of available disk space")
