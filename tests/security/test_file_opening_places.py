"""Every module that opens a file says once whose file it is: a new place has to be marked, and so thought about.

The mark is a comment: `# opens files of ours: ...` for files of the package, of the models or of the home, which is
closed to other accounts; `# opens files of others: ...` for what somebody else may have made, and what is done about
that.
"""

from __future__ import annotations

import ast
import re

from tests.harness.marks import PACKAGE, ROOT

OPENERS = {"open", "read_text", "read_bytes", "fdopen", "copyfile", "copytree", "mkstemp", "dotenv_values"}
MARK = re.compile(r"^ *# opens files of (ours|others): (\S.*)$", re.MULTILINE)
KEPT = "kept uploads"

SOURCES = {
    str(file.relative_to(ROOT / PACKAGE)): file.read_text()
    for file in (ROOT / PACKAGE).rglob("*.py")
    if not file.is_relative_to(ROOT / PACKAGE / "sandbox")  # it stands alone and holds no data of anybody
}
MARKS = {name: MARK.findall(text) for name, text in SOURCES.items()}


def _opens(text: str) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return any((getattr(call, "attr", None) or getattr(call, "id", None)) in OPENERS for call in calls)


def test_every_module_that_opens_files_says_once_whose_they_are_and_no_other_does() -> None:
    assert {name: len(marks) for name, marks in MARKS.items() if marks} == {
        name: 1 for name, text in SOURCES.items() if _opens(text)
    }


def test_kept_uploads_are_read_by_the_readers_of_uploads_only() -> None:
    readers = {name for name, marks in MARKS.items() if any(why.startswith(KEPT) for _, why in marks)}
    assert readers
    assert {name.split("/")[-2] for name in readers} == {"csv_files"}
