"""A reader types every command of the user's pages, in order, in a fresh home, and sees what the pages show."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.docs.pages import FOR_USERS, Block, Page
from tests.docs.reader import Reader, commands_of

NOT_RUN = {
    "another Postgres is needed",
    "it runs until Ctrl-C",
    "it is a piece of a test",
    "it needs a provider's key",
    "it needs a client's server",
    "it needs a key of the API",
    "it needs a container host",
    "it installs packages",
    "it waits for typed lines",
    "it needs a batch with drafts",
    "it needs a list of courses",
    "it needs a second list of the same people",
    "it needs a table of the user's",
    "the page's batches have names of their hour",
    "it asks the DNS",
    "it needs an assistant",
    "it needs an account at a service",
}
"""The reasons for which a block may stand in a page without being run here."""

NOT_RUN_AT_MOST = 32

DATE, SECONDS = r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?", r"\d+ s in all"
VARIES = re.compile(rf"(?P<date>{DATE})|(?P<seconds>{SECONDS})|(?P<anything>\.\.\.)")
STANDS_FOR = {"date": DATE, "seconds": SECONDS, "anything": ".*"}
"""What is different each time, and dots: any of its kind matches."""


class PagesRead:
    """The pages read so far, and what was wrong in each."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._wrong: dict[str, list[str]] = {}

    def wrong_in(self, name: str) -> list[str]:
        """Read on to this page if it was not read yet: what it says and is not so."""
        for page in FOR_USERS[: FOR_USERS.index(name) + 1]:
            if page not in self._wrong:
                self._reader.new_page()
                self._wrong[page] = [fault for block in Page(page).blocks() for fault in self._faults(block)]
        return self._wrong[name]

    def _faults(self, block: Block) -> Iterator[str]:
        if block.file_name:
            (self._reader.folder / block.file_name).write_text(block.text)
        if not block.is_typed or block.not_run:
            return
        for command in commands_of(block):
            code, said = self._reader.type(command.text)
            refused = any(line.startswith("enrich: ") for line in command.shown)
            if (code != 0) is not refused:
                yield f"{block}: {command.text}ended with {code}:\n{said}"
            elif command.shown and (difference := what_differs(command.shown, said)):
                yield f"{block}: {command.text}{difference}"


def what_differs(shown: list[str], said: str) -> str | None:
    """A diff if the output is not what the page shows; there, `...` stands for anything, alone for any lines."""
    page, screen = _plain(shown), _plain(said.splitlines())
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else _pattern(line) + r"\n" for line in page)
    if re.fullmatch(pattern, "".join(f"{line}\n" for line in screen)):
        return None
    return "\n".join(unified_diff(page, screen, "the page", "the screen", lineterm=""))


def _plain(lines: list[str]) -> list[str]:
    return [plain for line in lines if (plain := " ".join(line.split()))]


def _pattern(line: str) -> str:
    parts, done = [], 0
    for found in VARIES.finditer(line):
        parts += [re.escape(line[done : found.start()]), STANDS_FOR[str(found.lastgroup)]]
        done = found.end()
    return "".join(parts) + re.escape(line[done:])


@pytest.fixture(scope="module")
def pages_read() -> Iterator[PagesRead]:
    folder = Path(tempfile.mkdtemp(prefix="enrich-pages-", dir="/tmp"))  # short: sockets are made below it
    folder.chmod(0o755)
    reader = Reader(folder)
    yield PagesRead(reader)
    reader.leave()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", FOR_USERS)
def test_the_commands_of_a_page_do_what_it_shows(pages_read: PagesRead, name: str) -> None:
    wrong = pages_read.wrong_in(name)
    assert not wrong, "\n\n".join(wrong)


def test_few_commands_are_not_run_and_each_says_why() -> None:
    left_out = [block for name in FOR_USERS for block in Page(name).blocks() if block.is_typed and block.not_run]
    reasons = {str(block): block.not_run for block in left_out}
    assert {where: why for where, why in reasons.items() if not why or why.partition(";")[0] not in NOT_RUN} == {}
    assert len(left_out) <= NOT_RUN_AT_MOST


def test_a_block_with_commands_has_a_language() -> None:
    begins = re.compile(r"^(\$ |enrich |make |python -m |dbt )", re.MULTILINE)
    bare = [str(b) for name in FOR_USERS for b in Page(name).blocks() if not b.is_shell and begins.search(b.text)]
    assert bare == []


def test_output_is_compared_with_its_numbers() -> None:
    assert what_differs(["48 rows", "...", "done in 3 s in all"], "48 rows\n\n a\n b\ndone in 14 s in all\n") is None
    assert what_differs(["added 2026-11-28 10:00"], "added   2027-01-02 00:59\n") is None
    assert what_differs(["a ... z"], "a b z") is None
    for shown, said in (
        (["48 rows"], "47 rows"),
        (["48 rows"], "48 rows\nand more"),
        (["48 rows", "..."], "x\n48 rows"),
    ):
        assert what_differs(shown, said)
