"""The vectorised way of reading gives what the strict way gives, on any input, whatever the size of the blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.errors import UploadRefusedError
from enrichment_assets.services.uploads.csv_files import FileReading, FileShape, ReadLimits, Rejection
from enrichment_assets.services.uploads.csv_files.exact import ExactReader, Position
from enrichment_assets.services.uploads.csv_files.lines import LineFeed
from enrichment_assets.services.uploads.csv_files.proven import parse, prove

SHAPE = FileShape("utf-8", ",")
LIMITS = ReadLimits(cell_chars=1000, row_bytes=2000, block_bytes=64)

TOKENS = st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", "a", "bc", " ", "é", "\x00", "\ufeff", "𝄞", '",', ',"', '"\n', '\n"', "NA"]
).map(str.encode) | st.just(b"\xff")
ANYTHING = st.lists(TOKENS, max_size=60).map(b"".join)
QUOTED = st.lists(st.sampled_from(['"a""b"', '""', '"x,\ny"', "p", "", ",", "\n", "\r\n"]), max_size=60)

Found = list[tuple[Any, ...]]


def mixed(path: Path, limits: ReadLimits) -> Found:
    reading = FileReading(path, SHAPE, limits)
    found: Found = []
    for segment in reading.segments():
        for row in segment.batch(reading.schema).to_pylist():
            number, line, *cells = row.values()
            found.append((number, line, *cells))
        found += [(r.row_number, r.line_number, r) for r in segment.rejections]
    return sorted(found, key=lambda one: one[0])


def exact(path: Path, limits: ReadLimits, width: int) -> Found:
    feed = LineFeed(iter([path.read_bytes().removeprefix(b"\xef\xbb\xbf")]), limits.row_bytes)
    reader = ExactReader(feed, ",", Position(), limits)
    reader.header()
    reader.width = width
    return [
        (one.row_number, one.line_number, one)
        if isinstance(one, Rejection)
        else (one.row_number, one.line_number, *one.cells, *[None] * (width - len(one.cells)))
        for one in reader.read(10**9)
    ]


@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYTHING | QUOTED.map(lambda cells: "".join(cells).encode()))
@example(b"\xef\xbb\xbf1,2\n")
@example(b'1,"2\n3,4\n' * 8)
def test_both_ways_find_the_same_rows_cells_and_rejections(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "file.csv"
    for width in (1, 2, 3):
        path.write_bytes(",".join("abc"[:width]).encode() + b"\n" + body)
        expected = exact(path, LIMITS, width)
        assert mixed(path, LIMITS) == expected
        assert mixed(path, ReadLimits(cell_chars=1000, row_bytes=2000)) == expected


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["", "NA", "007", "'+1 555", '"', '""', "\r", "\n", "\r\n", ",", ";", "\t", "|", " ", "\ufeff", "a\nb", "sep=;"]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=8)),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-16-le"]),
    st.booleans(),
)
def test_what_was_written_is_what_is_read(
    tmp_path: Path, rows: list[list[str]], delimiter: str, end: str, encoding: str, quote_all: bool
) -> None:
    def written(cell: str) -> str:
        quoted = quote_all or any(c in cell for c in f'"\r\n{delimiter}')
        return '"' + cell.replace('"', '""') + '"' if quoted else cell

    header = [f"column {n}" for n in range(len(rows[0]))]
    path = tmp_path / "file.csv"
    lines = [delimiter.join(map(written, row)) + end for row in (header, *rows)]
    path.write_bytes("".join(lines).encode(encoding))
    reading = FileReading(path, FileShape(encoding, delimiter), LIMITS)
    read = [list(r.values())[2:] for s in reading.segments() for r in s.batch(reading.schema).to_pylist()]
    assert read == rows


def test_clean_blocks_are_proven_and_doubtful_ones_are_not() -> None:
    def proof(text: bytes, width: int = 2) -> bool:
        return prove(text, True, ",", width, 1000) is not None

    assert proof(b'a,b\n"x ""y""","z\r\n,"\r\n\n1,2')
    for doubtful in (b'a,"b"c\n', b'a,b"c"\n', b'a,"b\n', b"a,b\rc,d\n", b"a\n", b"a,b,c\n", b"a,\xff\n", b"a,\x00\n"):
        assert not proof(doubtful), doubtful


def test_arrow_reads_a_proven_block_as_the_strict_parser_does() -> None:
    block = prove(b'a,"x ""y"""\r\n\r\n"",NA\n"1\r\n2", \n', True, ",", 2, 1000)
    assert block is not None
    columns = parse(block, ["c", "d"], ",")
    assert columns is not None
    assert [column.to_pylist() for column in columns] == [["a", "", "1\r\n2"], ['x "y"', "NA", " "]]
    assert list(block.line_offsets) == [0, 2, 3]


def test_clean_files_take_the_fast_way_and_only_the_broken_block_the_exact_one(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    clean = b"".join(b'%d,"x, y"\n' % n for n in range(1000))
    path.write_bytes(b"a,b\n" + clean + b'1,"2" 3\n' + clean)
    reading = FileReading(path, SHAPE, ReadLimits(block_bytes=2000))
    kinds = [type(segment).__name__ for segment in reading.segments()]
    assert kinds.count("ExactSegment") == 1
    assert len(kinds) > 5
    assert (reading.position.rows, reading.position.lines) == (2001, 2002)


@pytest.mark.parametrize("body", [b'x","\n' * 3000])
def test_reading_a_second_time_is_bounded(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n" + body)
    with pytest.raises(UploadRefusedError):
        mixed(path, ReadLimits(replay_bytes=10_000))
