"""Uploads as a whole: bytes kept, rows counted, rejections stored, the same file recognised, nothing half done."""

from __future__ import annotations

import csv
import hashlib
import io
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from enrichment_assets.domain.errors import InfrastructureError, NotFoundError, UploadRefusedError
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.uploads.upload import (
    UploadReport,
    get_upload,
    list_rejections,
    list_uploads,
    read_rows,
    upload_file,
)
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

Connection = psycopg.Connection[dict[str, Any]]
Upload = Callable[..., UploadReport]
Batch = Callable[..., str]

MESSY = (
    b"First Name,Company,Company Name for Emails,Email,Note\r\n"
    b'Ada,Acme Inc.,acme,email_not_unlocked@domain.com,"two\r\nlines"\r\n'
    b"Bob,Acme Inc.,acme,bob@acme.com,x,extra\r\n"
    b"\r\n"
    b"Cid,,acme,\r\n"
)


def kept(settings: Settings) -> list[Path]:
    return sorted(p for p in settings.uploads_dir.rglob("*") if p.is_file())


def test_the_bytes_are_kept_read_only_under_their_hash(settings: Settings, upload: Upload) -> None:
    report = upload(MESSY)
    path = settings.uploads_dir / "acme" / hashlib.sha256(MESSY).hexdigest()
    assert report.sha256 == path.name
    assert kept(settings) == [path]
    assert path.read_bytes() == MESSY
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_rows_are_items_plus_rejections_and_each_rejection_says_why(
    settings: Settings, hq: Connection, upload: Upload, batch: Batch
) -> None:
    report = upload(MESSY)
    assert (report.rows, report.items, report.rejected, report.blank_lines) == (3, 2, 1, 1)
    assert list(list_rejections(hq_of(settings), report.upload_id)) == [
        {
            "row_number": 2,
            "line_number": 4,
            "reason": "6 cells, but the header has 5",
            "raw": "Bob,Acme Inc.,acme,bob@acme.com,x,extra",
        }
    ]
    assert create_items(hq_of(settings), settings, batch(report.upload_id)).items == 2
    rows = hq.execute("select row_number, company_name, email, original_data from batch_items order by id").fetchall()
    assert [(r["row_number"], r["company_name"], r["email"]) for r in rows] == [(1, "Acme Inc.", None), (3, None, None)]
    assert rows[0]["original_data"]["Email"] == "email_not_unlocked@domain.com"
    assert rows[0]["original_data"]["Note"] == "two\r\nlines"
    assert "Note" not in rows[1]["original_data"]
    assert rows[1]["original_data"]["Email"] == ""


def test_a_row_takes_its_phone_from_the_most_direct_column_that_has_one(
    settings: Settings, hq: Connection, upload: Upload, batch: Batch
) -> None:
    one, two, three, four, five = (f"+1 202 555 010{n}" for n in range(1, 6))
    header = "Corporate Phone,Mobile Phone,Work Direct Phone,First Phone,Company Phone"
    rows_of_cells = [
        [one, two, three, four, five],
        [one, two, "n/a", four, five],
        [one, " ", "", "", five],
        [""] * 4 + [five],
    ]
    content = "\n".join([header, *(",".join(cells) for cells in rows_of_cells)]).encode()
    create_items(hq_of(settings), settings, batch(upload(content).upload_id))
    rows = hq.execute("select phone, company_phone from batch_items order by id").fetchall()
    assert [r["phone"] for r in rows] == ["+12025550103", "+12025550102", "+12025550101", None]
    assert {r["company_phone"] for r in rows} == {"+12025550105"}


def test_the_same_bytes_are_recognised_for_the_same_client_only(
    settings: Settings, hq: Connection, upload: Upload, tmp_path: Path
) -> None:
    first, again = upload(MESSY), upload(MESSY, "renamed.csv")
    assert (again.upload_id, again.already_known, first.already_known) == (first.upload_id, True, False)
    assert (again.rows, again.rejected, again.columns) == (first.rows, first.rejected, first.columns)
    hq.execute("insert into clients (slug, name) values ('other', 'Other')")
    hq.commit()
    other = upload_file(
        hq_of(settings), settings, tmp_path / "leads.csv", "other", source="inbox", filename="given.csv", actor=TESTER
    )
    assert not other.already_known
    rows = hq.execute("select filename, source from uploads order by id").fetchall()
    assert rows == [{"filename": "leads.csv", "source": "cli"}, {"filename": "given.csv", "source": "inbox"}]


def test_bytes_that_were_lost_come_back_with_the_next_upload(settings: Settings, upload: Upload) -> None:
    report = upload(MESSY)
    kept(settings)[0].unlink()
    with pytest.raises(InfrastructureError, match="upload it again"):
        list(read_rows(hq_of(settings), settings, report.upload_id))
    assert upload(MESSY).already_known
    assert sum(b.num_rows for b in read_rows(hq_of(settings), settings, report.upload_id)) == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04zip", b"Email\n", b"\n\n"])
def test_a_refused_file_leaves_nothing_behind(
    settings: Settings, hq: Connection, upload: Upload, content: bytes
) -> None:
    with pytest.raises(UploadRefusedError, match=r"^leads\.csv was refused: "):
        upload(content)
    assert kept(settings) == []
    assert hq.execute("select count(*) as n from uploads").fetchone() == {"n": 0}
    assert hq.execute("select count(*) as n from upload_rejections").fetchone() == {"n": 0}


def test_a_file_that_is_too_large_missing_or_a_folder_is_refused(
    settings: Settings, client: str, tmp_path: Path
) -> None:
    (tmp_path / "leads.csv").write_bytes(MESSY)
    small = replace(settings, max_upload_bytes=100)
    with pytest.raises(UploadRefusedError, match="larger than 100 bytes"):
        upload_file(hq_of(small), small, tmp_path / "leads.csv", client, actor=TESTER)
    with pytest.raises(UploadRefusedError, match="no such file"):
        upload_file(hq_of(settings), settings, tmp_path / "missing.csv", client, actor=TESTER)
    with pytest.raises(UploadRefusedError, match="folder"):
        upload_file(hq_of(settings), settings, tmp_path, client, actor=TESTER)
    assert kept(settings) == []


def test_unknown_clients_uploads_and_batches_are_named(settings: Settings, client: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        upload_file(hq_of(settings), settings, tmp_path / "leads.csv", "nobody", actor=TESTER)
    with pytest.raises(NotFoundError, match="99"):
        get_upload(hq_of(settings), 99)
    with pytest.raises(NotFoundError, match="99"):
        list(list_rejections(hq_of(settings), 99))
    with pytest.raises(NotFoundError, match="no-such"):
        create_items(hq_of(settings), settings, "no-such")


def test_a_kept_file_that_changed_makes_no_items(
    settings: Settings, hq: Connection, upload: Upload, batch: Batch
) -> None:
    key = batch(upload(MESSY).upload_id)
    path = kept(settings)[0]
    path.chmod(0o644)
    path.write_bytes(MESSY + b"Dan,,,,\r\n")
    with pytest.raises(InfrastructureError, match="have changed"):
        create_items(hq_of(settings), settings, key)
    for table in ("batch_items", "item_leases", "workflow_states"):
        assert hq.execute(f"select count(*) as n from {table}").fetchone() == {"n": 0}


def test_a_file_with_no_readable_row_is_an_upload_of_rejections(settings: Settings, upload: Upload) -> None:
    report = upload(b"a,b\n1,2,3\n\x00,\n")
    assert (report.rows, report.rejected, report.items) == (2, 2, 0)
    assert [r["line_number"] for r in list_rejections(hq_of(settings), report.upload_id)] == [2, 3]


def test_uploads_are_listed_newest_first(settings: Settings, upload: Upload) -> None:
    ids = [upload(b"a\n%d\n" % n).upload_id for n in range(3)]
    assert [one.upload_id for one in list_uploads(hq_of(settings), settings, "acme")] == ids[::-1]
    with pytest.raises(NotFoundError, match="no client 'other'"):
        list_uploads(hq_of(settings), settings, "other")
    assert all(one.columns for one in list_uploads(hq_of(settings), settings))


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(
    ["", "NA", "007", "'+1 555-0100", "null", '"', "\r", "a\r\nb", "\\", "\\N", "\t", "\u2028", "𝄞", "{}", "\x1f\x7f"]
)


@examples(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(1, 5).flatmap(
        lambda n: st.tuples(
            st.lists(CELL, min_size=n, max_size=n), st.lists(st.lists(CELL, max_size=n + 2), max_size=9)
        )
    )
)
def test_every_cell_reaches_original_data_unaltered(
    settings: Settings, hq: Connection, upload: Upload, batch: Batch, table: tuple[list[str], list[list[str]]]
) -> None:
    header = ["Key", *table[0]]
    plain = [["k"] * len(header)] * 10  # they leave no doubt about the delimiter
    rows = [*plain, *(["k", *row] for row in table[1])]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    report = upload(text.getvalue().encode())
    key = f"acme-{report.upload_id}"
    if not report.already_known:
        batch(report.upload_id, key)
    result = create_items(hq_of(settings), settings, key)

    assert result.rows == len(rows) == result.items + result.rejected
    keys = [column.key for column in report.columns]
    assert [column.name for column in report.columns] == header
    stored = hq.execute(
        "select row_number, original_data from batch_items where origin_key like 'row:%%' and batch_id = "
        "(select id from batches where batch_key = %s) order by row_number",
        (key,),
    ).fetchall()
    hq.commit()
    readable = {n: row for n, row in enumerate(rows, 1) if not any(row[len(header) :])}
    assert {r["row_number"]: r["original_data"] for r in stored} == {
        n: dict(zip(keys, row, strict=False)) for n, row in readable.items()
    }
