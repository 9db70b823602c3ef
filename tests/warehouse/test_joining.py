"""Parquet files joined without decoding: what other readers see is what one file would have had."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from enrichment_assets.warehouse.joining import JoinedFile

COLUMNS = (
    "range as n, 'name ' || (range % 7) as name, case when range % 3 = 0 then null else range / 2 end as half, "
    "cast(range as decimal(18,6)) as exact, timestamptz '2026-01-01' + to_days(cast(range % 400 as integer)) as at, "
    "range % 2 = 0 as even, date '2000-01-01' + cast(range % 900 as integer) as day"
)


def part(folder: Path, low: int, high: int, columns: str = COLUMNS) -> Path:
    path = folder / f"{low}.parquet"
    duckdb.execute(
        f"copy (select {columns} from range({low}, {high})) to '{path}' "
        "(format parquet, compression zstd, row_group_size 2048)"
    )
    return path


def joined(folder: Path, *parts: Path) -> Path:
    target = folder / "joined.parquet"
    with JoinedFile(target) as file:
        for one in parts:
            file.append(one)
    assert file.rows == pq.read_metadata(target).num_rows
    return target


@pytest.mark.parametrize("borders", [[0, 10], [0, 0, 10], [0, 5000, 5000, 12345, 12346], [0, 30000, 60000]])
def test_two_readers_see_every_row_of_every_part_in_order(tmp_path: Path, borders: list[int]) -> None:
    parts = []
    for n, (low, high) in enumerate(pairwise(borders)):
        folder = tmp_path / str(n)
        folder.mkdir()
        parts.append(part(folder, low, high))
    target = joined(tmp_path, *parts)
    expected = duckdb.execute(f"select {COLUMNS} from range({borders[-1]})").fetchall()
    assert duckdb.execute(f"select * from '{target}' order by n").fetchall() == expected
    table = pq.read_table(target)
    assert table["n"].to_pylist() == list(range(borders[-1]))
    assert table["name"].to_pylist() == [row[1] for row in expected]
    assert table["exact"].to_pylist() == [row[3] for row in expected]


def test_row_groups_keep_their_statistics_so_that_a_range_is_found_without_reading_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    target = joined(tmp_path, part(tmp_path / "a", 0, 6000), part(tmp_path, 6000, 20000))
    meta = pq.read_metadata(target)
    bounds = [
        (meta.row_group(n).column(0).statistics.min, meta.row_group(n).column(0).statistics.max)
        for n in range(meta.num_row_groups)
    ]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == 19999
    assert all(high + 1 == low for (_, high), (low, _) in pairwise(bounds))
    assert sum(meta.row_group(n).num_rows for n in range(meta.num_row_groups)) == 20000
    ends = duckdb.execute(f"select n, name from '{target}' where n in (0, 5999, 6000, 19999) order by n").fetchall()
    assert ends == [(n, f"name {n % 7}") for n in (0, 5999, 6000, 19999)]


def test_filters_that_look_into_dictionaries_and_bloom_filters_find_every_row(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    target = joined(tmp_path, part(tmp_path / "a", 0, 6000), part(tmp_path, 6000, 20000))
    meta = pq.read_metadata(target).row_group(3).to_dict()["columns"][1]
    assert meta["has_dictionary_page"]
    for name in ("name 3", "name 6", "name 7"):
        expected = sum(f"name {n % 7}" == name for n in range(20000))
        assert duckdb.execute(f"select count(*) from '{target}' where name = ?", [name]).fetchone() == (expected,)
        assert pq.read_table(target, filters=[("name", "=", name)]).num_rows == expected
    probed = duckdb.execute(f"select bool_or(bloom_filter_excludes) from parquet_bloom_probe('{target}', 'name', 'x')")
    assert probed.fetchone() == (True,)


def test_files_of_different_schemas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="different schemas"):
        joined(tmp_path, part(tmp_path, 0, 5), part(tmp_path, 5, 9, "range as other"))


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no parquet, but long enough to be read")
    with pytest.raises(ValueError, match="no Parquet file"):
        joined(tmp_path, tmp_path / "text")


def test_a_join_that_fails_leaves_no_file_that_reads_as_whole(tmp_path: Path) -> None:
    first = part(tmp_path, 0, 5)
    with pytest.raises(RuntimeError), JoinedFile(tmp_path / "half.parquet") as file:
        file.append(first)
        raise RuntimeError
    with pytest.raises(duckdb.Error):
        duckdb.execute(f"select * from '{tmp_path / 'half.parquet'}'")
