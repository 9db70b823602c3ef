"""Leads that are dropped as files: into a folder of this machine, of a bucket, and at the simulator."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow.parquet as pq
import pytest

from enrichment_assets.domain.dropped_files import file_of, named
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.providers.files import Files
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.wire.conversations import converse
from enrichment_assets.wire.transport import build_client

ROWS: list[dict[str, Any]] = [
    {"Name": "=HYPERLINK(\"x\")", "Phone": "+49 30 1", "Score": -1.5, "Zip": "007", "Met": date(2026, 3, 1)},
    {"Name": "@ann", "Score": 7, "Active": True, "Note": "two\nlines, \"quoted\"", "Tags": ["a", "b"]},
    {"Name": " \t=1", "Score": None, "Note": "  "},
]  # fmt: skip


def dropped(folder: str, *rows: dict[str, Any], base: str = "", where: str = "acme/leads", **body: Any) -> Answer:
    provider, secrets = Files(base), {"folder": folder}
    told = json_bytes({"format": "csv", "key_column": "Key", "rows": list(rows), **body})

    async def held() -> Answer:
        request = provider.authorise(RenderedRequest("PUT", f"file:///{where}", content=told), secrets, base)
        async with build_client() as client:
            return await converse(client, provider.conversation(request, secrets), 20.0)

    return asyncio.run(held())


def row(key: str, **cells: Any) -> dict[str, Any]:
    return {"key": key, "cells": cells}


def test_no_cell_of_a_csv_is_run_or_changed_by_a_spreadsheet() -> None:
    content = file_of(ROWS, "csv", ["Name", "Missing"])
    header, *lines = csv.reader(io.StringIO(content.decode(), newline=""))
    assert header == ["Name", "Missing", "Phone", "Score", "Zip", "Met", "Active", "Note", "Tags"]
    assert lines == [
        ['\'=HYPERLINK("x")', "", "'+49 30 1", "-1.5", "'007", "'2026-03-01", "", "", ""],
        ["'@ann", "", "", "7", "", "", "true", 'two\nlines, "quoted"', "a, b"],
        ["' \t=1", "", "", "", "", "", "", "", ""],
    ]
    assert content == file_of([dict(one) for one in ROWS], "csv", ["Name", "Missing"])


def test_ndjson_and_parquet_keep_values_and_types_as_they_are() -> None:
    lines = [orjson.loads(line) for line in file_of(ROWS, "ndjson").splitlines()]
    assert (lines[0]["Name"], lines[0]["Score"], lines[1]["Tags"], lines[2]["Note"]) == (
        '=HYPERLINK("x")', -1.5, ["a", "b"], None
    )  # fmt: skip
    content = file_of(ROWS, "parquet")
    table = pq.read_table(io.BytesIO(content))
    assert table.column("Score").to_pylist() == [-1.5, 7.0, None]
    assert table.column("Active").to_pylist() == [None, True, None]
    assert table.column("Tags").to_pylist() == [None, "a, b", None]
    assert content == file_of(ROWS, "parquet")
    with pytest.raises(ContractError, match="no format 'xls'"):
        file_of(ROWS, "xls")


def test_the_same_leads_are_the_same_file_once_and_others_another(tmp_path: Path) -> None:
    ann = {**row("k1", Phone="=2"), "previous": {"Name": "Ann", "Phone": "1"}}
    first, again, other = (dropped(str(tmp_path), *rows) for rows in ([ann], [ann], [row("k2", Name="Bob")]))
    pair = [{**row(key, Name=name), "place": place} for key, name, place in (("k3", "Cid", 2), ("k4", "Dee", 1))]
    files = [parse_json(dropped(str(tmp_path), *some, where="pairs/x").body)["file"] for some in (pair, pair[::-1])]
    assert files[0] == files[1]
    assert (tmp_path / files[0]).read_text().split() == ["Key,Name", "k4,Dee", "k3,Cid"]
    assert [one.status for one in (first, again, other)] == [200] * 3
    told = parse_json(first.body)
    assert told["results"] == [{"key": "k1", "file": told["file"]}]
    files = sorted((tmp_path / "acme").iterdir())
    assert [one.name[:6] for one in files] == ["leads-", "leads-"]  # and no half of one
    assert (tmp_path / told["file"]).read_text() == "Key,Name,Phone\r\nk1,Ann,'=2\r\n".replace("\r\n", "\n")
    before = (tmp_path / told["file"]).stat().st_mtime_ns
    dropped(str(tmp_path), ann)
    assert (tmp_path / told["file"]).stat().st_mtime_ns == before


def test_a_folder_is_below_the_one_of_all_drops_and_nowhere_else(tmp_path: Path) -> None:
    for wrong in ("", "/", "../up", "a/../../b", ".hidden/x", "a//..//b", "C:\\x", "a\0b", "~/x"):
        with pytest.raises(ContractError, match="below the folder of all drops"):
            named(wrong, b"", "csv")
    assert named("/acme/New leads", b"", "csv").startswith("acme/New leads-e3b0c44298fc1c14.")
    for folder in ("relative/folder", "http://files.example", ""):
        with pytest.raises(ConfigurationError, match="FILE_DROP_FOLDER has to be"):
            dropped(folder, row("k"))
    (tmp_path / "acme").write_text("a file where the folder would be")
    kept_out = dropped(str(tmp_path), row("k"))
    assert Files("").classify("drop", kept_out).error is ErrorClass.AUTH
    assert b"FILE_DROP_FOLDER" in kept_out.body


def test_a_rehearsal_drops_at_the_simulator_and_nowhere_else(sandbox: SandboxProcess, tmp_path: Path) -> None:
    base = f"{sandbox.url}/files"
    told = parse_json(dropped(str(tmp_path), row("k1", Name="Ann"), base=base, format="ndjson").body)
    assert httpx.get(f"{base}/").json() == {"files": [told["file"]]}
    assert httpx.get(f"{base}/{told['file']}").json() == {"Key": "k1", "Name": "Ann"}
    assert list(tmp_path.iterdir()) == []
