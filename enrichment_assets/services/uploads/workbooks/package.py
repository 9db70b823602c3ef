"""The zip archive that a workbook is: which sheet is which member, and how much of it there is.

A member is decompressed once before anything else reads it, to its real end and whatever size it claims, so that a
small file that unpacks to gigabytes, or a cell far out that would make an empty grid of billions, is refused in time.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from enrichment_assets.domain.errors import UploadRefusedError

MAX_BYTES = 1 << 30
"""Unpacked, all members together."""
MAX_CELLS = 10_000_000
"""Of the grid of one sheet, empty cells too: all of it is in memory while it is read."""

_CHUNK = 1 << 20
_SMALL = 8 << 20
_WORKBOOK = "xl/workbook.xml"
_MEMBERS = 10_000
_P = rb"<(?:\w+:)?"
_SHEET = re.compile(_P + rb"sheet\s[^>]*>")
_RELATION = re.compile(_P + rb"Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*(?:"([^"]*)"|\'([^\']*)\')')
_CELL = re.compile(_P + rb'c\s(?:[^>]*?\s)?r="([A-Z]{1,4})([0-9]{1,8})"[^>/]*>')
_NO_REFERENCE = re.compile(_P + rb'c(?:\s+(?!r=)[a-z]+="[^"]*")*>')
_STYLED = re.compile(_P + rb'c\s[^>]*?r="([A-Z]{1,4})([0-9]{1,8})"[^>]*?\ss="([0-9]+)"[^>/]*>')


@dataclass(slots=True)
class SheetContent:
    """What one pass over a sheet's member found: its last row and column with content, and cells of some styles."""

    rows: int = 0
    columns: int = 0
    styled: dict[tuple[int, int], int] = field(default_factory=dict)


def is_workbook(head: bytes) -> bool:
    """True for a zip archive's first bytes: a workbook, as far as uploads go. `find_sheet` says what else it may be."""
    return head.startswith(b"PK\x03\x04")


class Package:
    """An opened workbook. Raises `UploadRefusedError` for a zip archive that is no .xlsx workbook or is too large."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise UploadRefusedError(
                "it is a damaged Excel workbook, or another zip archive", code="upload.workbook_damaged"
            ) from None
        names = set(self._zip.namelist())
        if _WORKBOOK not in names:
            self._zip.close()
            raise UploadRefusedError(_what_it_is(names), code="upload.not_a_workbook")
        if len(names) > _MEMBERS or any(info.flag_bits & 1 for info in self._zip.infolist()):
            raise UploadRefusedError(
                "it is a workbook with a password, or with parts beyond number", code="upload.workbook_locked"
            )

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def refuse_oversized(self) -> None:
        """Unpack everything once, count, and raise `UploadRefusedError` past the bound."""
        total = 0
        for name in self._zip.namelist():
            for chunk in self._chunks(name):
                total += len(chunk)
                if total > MAX_BYTES:
                    raise UploadRefusedError(
                        f"it unpacks to more than {MAX_BYTES:,} bytes: save the sheet as CSV",
                        code="upload.workbook_too_large",
                    )

    def sheets(self) -> dict[str, str]:
        """Sheet name -> its member, in the workbook's order; charts and macro sheets are none."""
        targets = {
            attributes.get("Id", ""): attributes.get("Target", "")
            for attributes in map(_attributes, _RELATION.findall(self.read("xl/_rels/workbook.xml.rels")))
            if attributes.get("Type", "").endswith("/worksheet")
        }
        found = {}
        for attributes in map(_attributes, _SHEET.findall(self.read(_WORKBOOK))):
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            if target := targets.get(relation):
                member = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
                found[attributes.get("name", "")] = posixpath.normpath(member)
        return found

    def read(self, name: str) -> bytes:
        """A small member whole, empty when there is none."""
        if name not in self._zip.namelist():
            return b""
        content = b""
        for chunk in self._chunks(name):
            content += chunk
            if len(content) > _SMALL:
                raise UploadRefusedError(
                    f"it is a workbook whose {name} is too large to be one", code="upload.workbook_part_too_large"
                )
        return content

    def look_at(self, member: str, styles: frozenset[int]) -> SheetContent:
        """One pass over a sheet: its size, and which of its cells have one of these styles."""
        content = SheetContent()
        columns: set[bytes] = set()
        rest = b""
        for chunk in self._chunks(member):
            data = rest + chunk
            end = data.rfind(b">") + 1
            data, rest = data[:end], data[end:]
            if _NO_REFERENCE.search(data):
                raise UploadRefusedError(
                    "it is a workbook whose cells do not say where they are: save it again in Excel",
                    code="upload.workbook_without_references",
                )
            references = _CELL.findall(data)
            columns.update(column for column, _ in references)
            content.rows = max(content.rows, *(int(row) for row in {row for _, row in references}), 0)
            if styles:
                for column, row, style in _STYLED.findall(data):
                    if int(style) in styles:
                        content.styled[int(row) - 1, column_number(column)] = int(style)
            content.columns = max((column_number(column) + 1 for column in columns), default=0)
            if content.rows * content.columns > MAX_CELLS:
                raise UploadRefusedError(
                    f"its sheet reaches to row {content.rows:,} and column {content.columns:,}: more than "
                    f"{MAX_CELLS:,} cells. Delete what is far out, or save the sheet as CSV",
                    code="upload.sheet_too_wide",
                )
        return content

    # opens files of others: members of a workbook's archive: bounded size and number
    def _chunks(self, name: str) -> Iterator[bytes]:
        info = self._zip.getinfo(name)
        info.file_size = 1 << 62  # what it claims is not believed: read to the real end
        try:
            with self._zip.open(info) as member:
                while chunk := member.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
            raise UploadRefusedError(
                f"it is a damaged workbook ({type(error).__name__} in {name})", code="upload.workbook_damaged"
            ) from None
        except Exception as error:  # zlib.error and its like have no common base
            raise UploadRefusedError(
                f"it is a damaged workbook ({type(error).__name__} in {name})", code="upload.workbook_damaged"
            ) from None


def column_number(letters: bytes) -> int:
    """0 for A, 26 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _attributes(tag: bytes) -> dict[str, str]:
    return {
        name.decode("utf-8", "replace"): unescape((double or single).decode("utf-8", "replace"))
        for name, double, single in _ATTRIBUTE.findall(tag)
    }


def _what_it_is(names: set[str]) -> str:
    save_as = "save it as .xlsx or CSV and upload that"
    if "xl/workbook.bin" in names:
        return f"it is a binary Excel workbook (.xlsb): {save_as}"
    if "content.xml" in names and "mimetype" in names:
        return f"it is an OpenDocument file: {save_as}"
    if "word/document.xml" in names:
        return "it is a Word document"
    return "it is a zip archive: unpack it and upload the file inside"
