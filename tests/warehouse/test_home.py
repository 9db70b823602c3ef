"""Which home is opened: looked for upward, announced when it is new, never made by who only reads."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
import typer

from enrichment_assets.cli import build_app
from enrichment_assets.cli.env_file import load_env_files
from enrichment_assets.cli.home_guard import HOMELESS, MAKING, commands_of
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.home import prepare_home
from enrichment_assets.services.insight.target_files import checked_target
from enrichment_assets.settings import Settings, find_home
from enrichment_assets.warehouse import open_warehouse
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Lead


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with folders in it, in which the program is called without ENRICH_HOME."""
    folder = tmp_path / "project"
    (folder / "lists" / "2026").mkdir(parents=True)
    monkeypatch.delenv("ENRICH_HOME")
    monkeypatch.delenv("HQ_DATABASE_URL", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder / "lists" / "2026")
    return folder


def test_the_nearest_home_above_is_found_and_else_one_is_to_be_made_here(project: Path, tmp_path: Path) -> None:
    here = project / "lists" / "2026"
    assert find_home() == here / ".enrich"
    (tmp_path / ".enrich").mkdir()
    assert find_home() == tmp_path / ".enrich"
    (project / ".enrich").mkdir()
    assert Settings.from_environment().home == project / ".enrich"
    (here / ".enrich").write_text("a file is no home")
    assert find_home() == project / ".enrich"
    assert Settings.from_environment({"ENRICH_HOME": ".play"}).home == here / ".play"


def test_above_the_own_folder_and_in_folders_of_others_nothing_is_found(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".enrich").mkdir()
    monkeypatch.setenv("HOME", str(project))
    assert find_home() == project / "lists" / "2026" / ".enrich"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    assert find_home() == project / "lists" / "2026" / ".enrich"


def test_the_env_file_beside_the_home_is_read_in_a_folder_below(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".enrich").mkdir()
    (project / ".env").write_text("ACME_BESIDE_THE_HOME=1\n")
    (project / ".env").chmod(0o600)
    monkeypatch.setenv("ENRICH_SECRET_NAMES", "")
    monkeypatch.setenv("ACME_BESIDE_THE_HOME", "")
    monkeypatch.delenv("ACME_BESIDE_THE_HOME")
    load_env_files(pytest.fail)
    assert os.environ.pop("ACME_BESIDE_THE_HOME") == "1"


def test_a_new_home_is_announced_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    prepare_home(tmp_path / "home")
    prepare_home(tmp_path / "home")
    assert capfd.readouterr().err == f"enrich: new home: {tmp_path / 'home'}\n"


def test_a_command_that_begins_nothing_makes_no_home(project: Path) -> None:
    commands = dict(commands_of(build_app()))
    assert set(commands) >= MAKING | HOMELESS
    for name, command in commands.items():
        if name not in MAKING | HOMELESS and command.callback is not None:
            with pytest.raises(EnrichError, match="there is no home at"):
                command.callback()
    assert not list(project.rglob(".enrich"))


def test_a_notebook_is_warned_of_a_new_home_and_of_an_empty_one(
    project: Path, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said in ("this one was made", "nothing was extracted"):
        with pytest.warns(UserWarning, match=said):
            open_warehouse().close()
    build([Lead({"full_name": "Ada"})], select=["final_leads"])
    monkeypatch.setenv("ENRICH_HOME", str(build.settings.home))
    with warnings.catch_warnings(action="error"):
        open_warehouse().close()


def test_a_file_is_written_only_where_there_is_a_folder(tmp_path: Path) -> None:
    assert checked_target(tmp_path / "leads.csv") == tmp_path / "leads.csv"
    with pytest.raises(EnrichError, match="there is no folder"):
        checked_target(tmp_path / "leeds" / "leads.csv")
    with pytest.raises(EnrichError, match="is a folder"):
        checked_target(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_help_shows_commands_in_panels(capfd: pytest.CaptureFixture[str]) -> None:
    typer.main.get_command(build_app())(["--help"], standalone_mode=False)
    shown = capfd.readouterr().out
    assert shown.index("Start ") < shown.index(" demo ")
    assert all(f"─ {panel} ─" in shown for panel in ("Lists in", "Batches", "Results", "Set up", "Tidy up"))
    assert "─ Commands ─" not in shown, "a command stands in no panel"
