"""YAML of ours is parsed once, and anew where it, or what was kept of it, is another."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from enrichment_assets.registry import loader
from enrichment_assets.registry.kept_yaml import NotYaml, documents

TEXTS = {"one.yaml": "a: [1, 2.5, true, null]\nas_of: 2026-11-05\n", "two.yaml": "- x\n- {y: z}\n"}
SAID = {"one.yaml": {"a": [1, 2.5, True, None], "as_of": date(2026, 11, 5)}, "two.yaml": ["x", {"y": "z"}]}


def _kept(tmp_path: Path) -> Path:
    (kept,) = (tmp_path / "__pycache__").iterdir()
    return kept


def test_what_was_kept_is_what_the_files_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert documents(TEXTS, tmp_path, "texts") == SAID
    with monkeypatch.context() as patched:
        patched.delattr(yaml, "load")  # nothing is parsed again
        assert documents(TEXTS, tmp_path, "texts") == SAID
        with pytest.raises(AttributeError):
            documents(TEXTS | {"two.yaml": "- x\n"}, tmp_path, "texts")
    assert documents(TEXTS | {"two.yaml": "- x\n"}, tmp_path, "texts") == SAID | {"two.yaml": ["x"]}


@pytest.mark.parametrize("damage", [b"", b"no json", b"null", b"[{}, [[1]]]", None])
def test_what_is_not_whole_counts_as_nothing(tmp_path: Path, damage: bytes | None) -> None:
    documents(TEXTS, tmp_path, "texts")
    whole = _kept(tmp_path).read_bytes()
    _kept(tmp_path).write_bytes(whole[:-9] if damage is None else whole[:32] + damage)
    assert documents(TEXTS, tmp_path, "texts") == SAID
    assert _kept(tmp_path).read_bytes() == whole


def test_a_folder_in_which_nothing_can_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").write_text("no folder")
    assert documents(TEXTS, tmp_path, "texts") == SAID


def test_a_file_that_is_no_yaml_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(NotYaml) as refused:
        documents(TEXTS | {"two.yaml": "a: [1"}, tmp_path, "texts")
    assert refused.value.name == "two.yaml"
    assert not (tmp_path / "__pycache__").exists()


def test_shipped_workflows_are_kept() -> None:
    loader.builtin_workflows.cache_clear()
    read = loader.builtin_workflows()
    loader.builtin_workflows.cache_clear()
    assert loader.builtin_workflows() == read
    assert list((Path(loader.__file__).parent / "__pycache__").glob("workflows.*.kept"))
