"""Compiled templates of the SQL project, kept beside it."""

import shutil
from pathlib import Path

import pytest

from enrichment_assets.warehouse.rendering import Renderer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "one.sql").write_text("{% macro twice(x) %}{{ x }}, {{ x }}{% endmacro %}")
    return tmp_path


def _kept(folder: Path) -> list[Path]:
    return sorted((folder / "__pycache__").glob("*.jinja"))


def test_a_template_is_compiled_once_and_found_by_its_text(folder: Path) -> None:
    assert Renderer(folder, {}).render("select {{ twice('a') }}") == "select a, a"
    before = {path: path.stat().st_mtime_ns for path in _kept(folder)}
    assert len(before) == 2, "the macros, and the template"
    assert Renderer(folder, {}).render("select {{ twice('a') }}") == "select a, a"
    assert {path: path.stat().st_mtime_ns for path in _kept(folder)} == before
    (folder / "macros" / "one.sql").write_text("{% macro twice(x) %}{{ x }} and {{ x }}{% endmacro %}")
    assert Renderer(folder, {}).render("select {{ twice('a') }}") == "select a and a", "a changed macro counts at once"


@pytest.mark.parametrize("damage", [b"", b"j2", b"not one of ours", None])
def test_a_damaged_file_costs_only_the_work(folder: Path, damage: bytes | None) -> None:
    Renderer(folder, {}).render("select {{ twice('a') }}")
    for path in _kept(folder):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert Renderer(folder, {}).render("select {{ twice('a') }}") == "select a, a"


def test_a_folder_that_cannot_be_written_keeps_nothing(folder: Path) -> None:
    (folder / "__pycache__").write_text("in the way")
    assert Renderer(folder, {}).render("select {{ twice('a') }}") == "select a, a"
    (folder / "__pycache__").unlink()
    shutil.rmtree(folder / "macros")


def test_what_a_template_names_is_its_own_though_the_macros_are_shared(folder: Path) -> None:
    renderer = Renderer(folder, {})
    (first, second) = (renderer.inspect(f"{{{{ config(meta={{'n': {n}}}) }}}} {{{{ ref('m{n}') }}}}") for n in (1, 2))
    assert (first.refs, first.config) == (("m1",), {"meta": {"n": 1}})
    assert (second.refs, second.config) == (("m2",), {"meta": {"n": 2}})
