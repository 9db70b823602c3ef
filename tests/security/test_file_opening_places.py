"""Every module that opens a file, and whose file it is: a new place has to be put here, and so thought about."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "enrichment_assets"
OPENERS = {"open", "read_text", "read_bytes", "fdopen", "copyfile", "copytree", "mkstemp", "dotenv_values"}

OF_OTHERS = {
    "services/uploads/kept_files.py": "uploads: regular files only, links of the inbox refused, bounded size",
    "services/catalog/configuration.py": "a workflow's YAML that a person names: bounded size, UTF-8",
    "cli/query.py": "SQL that a person names",
    "cli/env_file.py": "settings of this machine: not read where other accounts may change it",
    "services/uploads/workbooks/package.py": "members of a workbook's archive: bounded size and number",
}
"""Files that somebody else may have made, and what is done about that."""

KEPT_BYTES = {
    "services/uploads/csv_files/encodings.py",
    "services/uploads/csv_files/margins.py",
    "services/uploads/csv_files/reader.py",
}
"""Readers of uploads that were kept before: they are given no other path."""

OURS = {
    "assets/extraction.py", "cli/__init__.py", "domain/contact_words.py", "domain/countries.py",
    "domain/header_names.py", "domain/legal_forms.py", "domain/name_words.py", "domain/platforms.py",
    "registry/loader.py", "services/uploads/inbox_folder.py", "services/uploads/inbox_notes.py",
    "services/insight/queries.py",
    "services/running_stack.py", "services/stack.py", "services/supervisor.py", "store/embedded.py",
    "store/postgres_home.py", "warehouse/files.py", "warehouse/joining.py", "warehouse/locking.py",
    "warehouse/project.py", "warehouse/rendering.py",
}  # fmt: skip
"""Files of the package, of the models, or of the home, which is closed to other accounts."""


def _opening_modules() -> set[str]:
    found = set()
    for file in PACKAGE.rglob("*.py"):
        if file.is_relative_to(PACKAGE / "sandbox"):
            continue  # the simulator stands alone and holds no data of anybody
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
                if name in OPENERS:
                    found.add(str(file.relative_to(PACKAGE)))
    return found


def test_every_place_that_opens_files_is_known() -> None:
    assert _opening_modules() == OF_OTHERS.keys() | KEPT_BYTES | OURS


def test_kept_bytes_are_read_by_the_readers_of_uploads_only() -> None:
    for name in KEPT_BYTES:
        assert (PACKAGE / name).parent.name == "csv_files"
