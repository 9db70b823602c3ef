"""Sheets of .xlsx workbooks: text as it is shown, and what is refused before it is read."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from enrichment_assets.domain.errors import UploadRefusedError
from enrichment_assets.services.uploads.csv_files import ReadLimits
from enrichment_assets.services.uploads.workbooks import SheetReading, find_sheet, package
from enrichment_assets.services.uploads.workbooks.formats import rendered
from enrichment_assets.services.uploads.workbooks.writing import write_workbook

Fill = Callable[[xlsxwriter.Workbook], None]


def read(path: Path, sheet: str | None = None) -> tuple[SheetReading, list[list[str | None]], list[tuple[int, str]]]:
    reading = SheetReading(path, find_sheet(path, sheet), ReadLimits())
    rows, rejected = [], []
    for segment in reading.segments():
        rows += [list(row.values()) for row in segment.batch(reading.schema).to_pylist()]
        rejected += [(one.line_number, one.raw) for one in segment.rejections]
    return reading, rows, rejected


def made(path: Path, fill: Fill) -> Path:
    workbook = xlsxwriter.Workbook(str(path))
    fill(workbook)
    workbook.close()
    return path


def test_cells_are_read_as_they_are_shown_and_in_full(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Leads")
        sheet.write_row(0, 0, ["Name", "Zip", "Phone", "Since", "Seen", "Id", "Share", "Sum", "Active", "Note"])
        zip_code = book.add_format({"num_format": "00000"})
        plus = book.add_format({"num_format": '"+"0'})
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        month = book.add_format({"num_format": "mmm yyyy"})
        sheet.write_string(1, 0, " Jörg\n")
        sheet.write_number(1, 1, 1234, zip_code)
        sheet.write_number(1, 2, 12025550123, plus)
        sheet.write_datetime(1, 3, dt.date(2015, 3, 1), month)
        sheet.write_datetime(1, 4, dt.datetime.fromisoformat("2024-02-29 10:30"), day)
        sheet.write_number(1, 5, 100020003000400)
        sheet.write_number(1, 6, 0.1)
        sheet.write_formula(1, 7, "=6*7", None, 42)
        sheet.write_boolean(1, 8, True)
        sheet.write_string(1, 9, "007")

    _, rows, _ = read(made(tmp_path / "a.xlsx", fill))
    cells = [" Jörg\n", "01234", "+12025550123", "2015-03-01", "2024-02-29 10:30:00", "100020003000400", "0.1", "42"]
    assert rows == [[1, 2, *cells, "TRUE", "007"]]


def test_a_title_above_empty_rows_between_and_a_footer_below_are_no_people(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Contacts of the spring fair")
        sheet.write_row(2, 0, ["First Name", "Last Name", "Email"])
        sheet.write_row(3, 0, ["Ada", "Roe", "ada@example.com"])
        sheet.write_row(5, 0, ["Bob", "Poe", "bob@example.com"])
        sheet.write(8, 0, "Spring report")
        sheet.write(9, 0, "Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.")

    reading, rows, rejected = read(made(tmp_path / "a.xlsx", fill))
    assert [row[:3] for row in rows] == [[1, 4, "Ada"], [2, 6, "Bob"]]
    assert [line for line, _ in rejected] == [9, 10]
    assert (reading.position.rows, reading.position.blank_lines) == (4, 3)


def test_a_merged_company_is_the_company_of_every_row_it_covers(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 1, ["Company", "Email"])
        sheet.merge_range(1, 1, 3, 1, "Acme")
        for row, name in enumerate(("ada", "bob", "cid"), 1):
            sheet.write(row, 2, f"{name}@acme.example")
        sheet.write_row(4, 1, ["Beta", "dan@beta.example"])

    _, rows, _ = read(made(tmp_path / "a.xlsx", fill))
    assert [row[3] for row in rows] == ["Acme", "Acme", "Acme", "Beta"]


def test_the_first_filled_visible_sheet_is_read_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("Empty")
        for name in ("Old & gone", "People", "Firms"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Email"])
            sheet.write_row(1, 0, [f"{name}@example.com"])
            if name.startswith("Old"):
                sheet.hide()
        book.worksheets()[2].activate()

    path = made(tmp_path / "a.xlsx", fill)
    assert [read(path, sheet)[1][0][2] for sheet in (None, "Firms", "Old & gone")] == [
        "People@example.com",
        "Firms@example.com",
        "Old & gone@example.com",
    ]
    with pytest.raises(
        UploadRefusedError, match="no sheet 'Nope'; its sheets: 'Empty', 'Old & gone', 'People', 'Firms'"
    ):
        find_sheet(path, "Nope")


def test_a_row_beyond_the_header_is_rejected_and_a_cut_number_is_noticed(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Email", "Record"])
        sheet.write_row(1, 0, ["a@example.com", 1234567890123456789])
        sheet.write_row(2, 0, ["b@example.com", 5, "extra"])

    reading, rows, rejected = read(made(tmp_path / "a.xlsx", fill))
    assert (len(rows), rejected, reading.cut_numbers) == (1, [(3, "b@example.com\t5\textra")], {1})


def test_what_would_unpack_to_too_much_or_reaches_too_far_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far_out(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Email")
        sheet.write(1_048_575, 16_383, "x")

    def small(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet().write_column(0, 0, ["Email", "a@example.com"])

    with pytest.raises(UploadRefusedError, match="reaches to row 1,048,576 and column 16,384"):
        find_sheet(made(tmp_path / "far.xlsx", far_out), None)
    path = made(tmp_path / "small.xlsx", small)
    assert find_sheet(path, None).sheet == "Sheet1"
    monkeypatch.setattr(package, "MAX_BYTES", 1000)
    with pytest.raises(UploadRefusedError, match="unpacks to more than 1,000 bytes"):
        find_sheet(path, None)


def test_other_archives_and_damage_are_named(tmp_path: Path) -> None:
    def archive(*names: str) -> Path:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, "x" * 100)
        return path

    for names, sentence in [
        (("leads.csv",), "unpack it"),
        (("mimetype", "content.xml"), "OpenDocument"),
        (("xl/workbook.bin",), "xlsb"),
        (("word/document.xml",), "Word"),
        (("xl/workbook.xml",), "without a filled sheet|damaged"),
    ]:
        with pytest.raises(UploadRefusedError, match=sentence):
            find_sheet(archive(*names), None)
    damaged = tmp_path / "b.xlsx"
    damaged.write_bytes(archive("xl/workbook.xml").read_bytes()[:60])
    with pytest.raises(UploadRefusedError, match="damaged"):
        find_sheet(damaged, None)


@pytest.mark.parametrize(
    ("number", "code", "shown"),  # as Excel 365 shows them
    [
        (1234, "00000", "01234"),
        (123456789, "000-00-0000", "123-45-6789"),
        (2025550123, "(000) 000-0000", "(202) 555-0123"),
        (12025550123, '"+"0', "+12025550123"),
        (441632960001, "+##", "+441632960001"),
        (0, "000", "000"),
        (5, "0.00", None),
        (5, "0", None),
        (1.5, "00000", None),
        (5, "dd/mm/yyyy", None),
    ],
)
def test_formats_that_pad_digits_are_rendered_and_others_are_left(number: float, code: str, shown: str | None) -> None:
    assert rendered(number, code) == shown


def test_what_is_written_to_a_workbook_is_read_back(tmp_path: Path) -> None:
    texts = [
        "+12025550123",
        "=1+1",
        "007",
        "1234567890123456789",
        "11-50",
        "March 2015",
        "https://a.example",
        "a\r\n\tb",
        "'x",
    ]
    row = [*texts, 42, 12345678901234567890, 1.5, True, None, dt.date(2015, 3, 1), ["x", 1]]
    path = tmp_path / "out.xlsx"
    columns = [f"c{n}" for n in range(len(row))]
    assert write_workbook(columns, [row], path) == 1
    _, rows, _ = read(path)
    assert rows[0][2:] == [*texts, "42", "12345678901234567890", "1.5", "TRUE", "", "2015-03-01", '["x", 1]']
    with zipfile.ZipFile(path) as file:
        assert "<f>" not in file.read("xl/worksheets/sheet1.xml").decode()
