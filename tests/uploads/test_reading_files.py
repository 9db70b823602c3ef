"""Files as the world writes them, byte by byte, and what is read from them."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from enrichment_assets.domain.errors import UploadRefusedError
from enrichment_assets.services.uploads.csv_files import ReadLimits
from tests.uploads.reading import read_bytes

TEXT = "Name,Città\r\nZoë,“Ålesund”\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    content = 'a,b,c\n1,"x,;|\t",3\n4,5,6\n'.replace(",", "\x01").replace('"x\x01', '"x,').replace("\x01", delimiter)
    read = read_bytes(tmp_path, content.encode())
    assert read.shape.delimiter == delimiter
    assert read.cells == [["1", "x,;|\t", "3"], ["4", "5", "6"]]


def test_a_delimiter_inside_prose_does_not_win(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b"Name;Note, internal;Tags\nA;one, two, three;x\nB;none;y\n")
    assert read.names == ["Name", "Note, internal", "Tags"]


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b'Email\na@example.com\n\n""\nb@example.com')
    assert read.cells == [["a@example.com"], [""], ["b@example.com"]]
    assert read.blank_lines == 1


def test_the_separator_hint_of_excel_is_no_header(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b"\xef\xbb\xbfsep=;\r\nName;Note\r\nA;x,y\r\n")
    assert (read.names, read.cells, read.rows[0]["line_number"]) == (["Name", "Note"], [["A", "x,y"]], 3)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "utf-32-le"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_with_and_without_a_mark(tmp_path: Path, content: bytes, encoding: str) -> None:
    read = read_bytes(tmp_path, content)
    assert read.shape.encoding == encoding
    assert (read.names, read.cells) == (["Name", "Città"], [["Zoë", "“Ålesund”"]])


def test_latin_1_is_read_by_its_superset(tmp_path: Path) -> None:
    content = "Prénom;Société\nFrançois;Crédit Général\nJürgen;Größe & Söhne\n".encode("latin-1")
    assert read_bytes(tmp_path, content).cells == [["François", "Crédit Général"], ["Jürgen", "Größe & Söhne"]]


def test_an_accent_after_megabytes_of_ascii_still_decides_the_encoding(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b"Name,Note\n" + b"plain,text\n" * 200_000 + "Zoë,Größe\n".encode("cp1252"))
    assert read.cells[-1] == ["Zoë", "Größe"]
    assert read.rejections == []


def test_cyrillic_and_japanese_code_pages_are_recognised(tmp_path: Path) -> None:
    russian = "Имя,Компания\n" + "Иван Петров,Общество с ограниченной ответственностью\n" * 20
    japanese = "名前,会社\n" + "山田太郎さん,株式会社テストのカブシキガイシャ\n" * 20
    assert read_bytes(tmp_path, russian.encode("cp1251")).names == ["Имя", "Компания"]
    assert read_bytes(tmp_path, japanese.encode("shift_jis")).names == ["名前", "会社"]


def test_broken_bytes_in_a_utf8_file_reject_their_row_only(tmp_path: Path) -> None:
    content = "Name,City\nZoë,Köln\nJos\xe9,Lima\nÅsa,Malmö\n".encode().replace("Jos\xe9".encode(), b"Jos\xe9")
    read = read_bytes(tmp_path, content)
    assert read.cells == [["Zoë", "Köln"], ["Åsa", "Malmö"]]
    assert read.rejected == [(3, "cell 1 has bytes that do not fit the file's encoding")]
    assert read.rejections[0].raw == "Jos\\xe9,Lima"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_every_system(tmp_path: Path, end: str, last: bool) -> None:
    content = end.join(["a,b", "1,2", '"x,y","p""q"', "3,4"]) + (end if last else "")
    read = read_bytes(tmp_path, content.encode())
    assert read.cells == [["1", "2"], ["x,y", 'p"q'], ["3", "4"]]
    assert [row["line_number"] for row in read.rows] == [2, 3, 4]


def test_mixed_line_ends_and_line_breaks_inside_cells_are_kept(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b'a,b\r\n1,"x\ny\r\nz\rw"\n2,3\r4,5\r\n')
    assert read.cells == [["1", "x\ny\r\nz\rw"], ["2", "3"], ["4", "5"]]
    assert [row["line_number"] for row in read.rows] == [2, 6, 7]


def test_text_is_never_interpreted(tmp_path: Path) -> None:
    cells = ["NA", "007", "'+1 555-0100", "+1", " x ", "null", "1e5", "=1+1", "TRUE", "2020-01-01", "\u00a0", "\ufeff"]
    content = ",".join(f"c{n}" for n in range(len(cells))) + "\n" + ",".join(cells) + "\n"
    assert read_bytes(tmp_path, content.encode()).cells == [cells]


def test_a_missing_cell_is_absent_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, b'a,b,c\n1,,\n2\n3,""\n').cells == [["1", "", ""], ["2", None, None], ["3", "", None]]


def test_empty_cells_beyond_the_header_are_nothing_and_filled_ones_reject_the_row(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b"a,b\n1,2,,\n3,4,,5\n6,7\n")
    assert read.cells == [["1", "2"], ["6", "7"]]
    assert read.rejected == [(3, "4 cells, but the header has 2")]


def test_blank_lines_are_no_rows_but_a_row_of_empty_cells_is_one(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b"\n\r\na,b\n\n1,2\n\n,\n\n")
    assert read.cells == [["1", "2"], ["", ""]]
    assert [row["line_number"] for row in read.rows] == [5, 7]
    assert read.blank_lines == 3


def test_duplicate_and_blank_headers_get_keys_of_their_own(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b"Phone,Phone,,phone,Phone (2), ,row_number,batch_key\n1,2,3,4,5,6,7,8\n")
    assert read.names == ["Phone", "Phone", "", "phone", "Phone (2)", " ", "row_number", "batch_key"]
    expected = ["Phone", "Phone (2)", "column_3", "phone (3)", "Phone (2) (2)", "column_6"]
    assert read.keys == [*expected, "row_number (2)", "batch_key (2)"]
    assert read.cells == [list("12345678")]


def test_two_thousand_columns_survive(tmp_path: Path) -> None:
    header = ",".join(f"Field {n % 1500}" for n in range(2000))
    read = read_bytes(tmp_path, f"{header}\n{','.join(map(str, range(2000)))}\n".encode())
    assert len(set(read.keys)) == 2000
    assert read.cells == [[str(n) for n in range(2000)]]


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b'a,b\n1,2\n3,"open\n5,6\n7,"8 ""x"""\n9,10\n')
    assert read.cells == [["1", "2"], ["5", "6"], ["7", '8 "x"'], ["9", "10"]]
    assert [line for line, _ in read.rejected] == [3]
    assert "quot" in read.rejected[0][1]


def test_an_unclosed_quote_on_the_last_line_is_a_rejection(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b'a,b\n1,2\n3,"open')
    assert read.cells == [["1", "2"]]
    assert read.rejected == [(3, "broken quoting: a quote that opens in this row is never closed")]


def test_a_quote_that_is_not_doubled_rejects_its_row_and_no_short_row_behind_it(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b'a,b,c\n1,"5" nail",3\n4\n5,6,7\n')
    assert read.cells == [["4", None, None], ["5", "6", "7"]]
    assert [line for line, _ in read.rejected] == [2]


def test_the_rest_of_a_broken_row_never_becomes_an_item(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b'name,address,city\nA,"1 "High" St\nFloor 2","X\nB,2,Y\n')
    assert read.cells == [["B", "2", "Y"]]
    assert [line for line, _ in read.rejected] == [2, 3]


def test_a_quote_in_the_middle_of_an_unquoted_cell_is_text(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, b'a,b\n5" nail,x"y"z\n').cells == [['5" nail', 'x"y"z']]


def test_a_nul_character_rejects_its_row(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, b"a,b\n1,2\n3,x\x00y\n5,6\n")
    assert read.cells == [["1", "2"], ["5", "6"]]
    assert read.rejected == [(3, "cell 2 has a NUL character, which no text column can hold")]
    assert read.rejections[0].raw == "3,x\\x00y"


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_overlong_line_is_skipped_without_being_held(tmp_path: Path, end: bytes) -> None:
    limits = ReadLimits(cell_chars=100, row_bytes=5_000, block_bytes=1_000)
    lines = [b"a,b", b"1,2", b"x" * 20_000 + b",3", b"4,5", b"6," + b"y" * 200, b"7,8"]
    read = read_bytes(tmp_path, end.join(lines) + end, limits)
    assert read.cells == [["1", "2"], ["4", "5"], ["7", "8"]]
    assert read.rejected == [
        (3, "the line is longer than 5,000 bytes"),
        (5, "cell 2 is longer than 100 characters"),
    ]


def test_a_quote_that_swallows_an_overlong_line_costs_two_lines(tmp_path: Path) -> None:
    limits = ReadLimits(cell_chars=200_000, row_bytes=5_000, block_bytes=1_000)
    read = read_bytes(tmp_path, b'a,b\n1,"2\n' + b"x" * 20_000 + b"\n3,4\n", limits)
    assert read.cells == [["3", "4"]]
    assert [line for line, _ in read.rejected] == [2, 3]


def test_quotes_that_open_everywhere_end_in_a_refusal_and_not_in_hours(tmp_path: Path) -> None:
    limits = ReadLimits(replay_bytes=1 << 20)
    with pytest.raises(UploadRefusedError, match="quoting is broken from line"):
        read_bytes(tmp_path, b"a,b\n" + b'x","\n' * 50_000, limits)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\n\r\n  \n", "blank lines"),
        (b"\xef\xbb\xbf", "blank lines"),
        (b"PK\x03\x04\x14\x00\x06\x00xl/workbook.xml", "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00\x00", "gzip"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        (b'[{"name": "A"}]', "JSON"),
        (b'{"name": "A"}\n', "JSON"),
        (bytes(range(256)) * 20, "binary"),
        (b'"a,b\n1,2\n', "header"),
        (b"a\x00b,c\n1,2\n", "NUL"),
        (",".join(f"c{n}" for n in range(20_001)).encode() + b"\n1\n", "20,001 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(UploadRefusedError, match=sentence) as refusal:
        read_bytes(tmp_path, content)
    assert "\n" not in str(refusal.value)
