"""From an upload to batch items: rows, identity columns, company keys, leases and states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from enrichment_assets.services.items import ItemsReport, create_items
from enrichment_assets.services.uploads import UploadReport, upload_file
from enrichment_assets.settings import Settings

Connection = psycopg.Connection[dict[str, Any]]
Upload = Callable[..., UploadReport]
Batch = Callable[..., str]


def items_of(hq: Connection, key: str = "acme-1") -> list[dict[str, Any]]:
    return hq.execute(
        "select i.* from batch_items i join batches b on b.id = i.batch_id where b.batch_key = %s order by row_number",
        (key,),
    ).fetchall()


def test_every_row_becomes_an_item_with_lease_and_a_pending_state_per_step(
    settings: Settings, hq: Connection, upload: Upload, batch: Batch
) -> None:
    report = upload(b"First Name,Email\nAda,ada@example.com\nBob,\n")
    created = create_items(settings, batch(report.upload_id))

    assert created == ItemsReport(rows=2, items=2, rejected=0, created=2)
    rows = items_of(hq)
    assert [(r["row_number"], r["origin_key"], r["first_name"], r["email"]) for r in rows] == [
        (1, "row:1", "Ada", "ada@example.com"),
        (2, "row:2", "Bob", None),
    ]
    assert rows[1]["original_data"] == {"First Name": "Bob", "Email": ""}
    leases = hq.execute("select item_id, fence, runner_id from item_leases order by item_id").fetchall()
    assert leases == [{"item_id": r["id"], "fence": 0, "runner_id": None} for r in rows]
    states = hq.execute(
        "select item_id, workflow_slug, position, status, attempts from workflow_states order by item_id, position"
    ).fetchall()
    assert [(s["item_id"], s["workflow_slug"], s["position"], s["status"]) for s in states] == [
        (r["id"], slug, n, "PENDING") for r in rows for n, slug in enumerate(("normalise-name", "normalise-domain"))
    ]


def test_a_second_call_finds_the_items_there_and_makes_none(
    settings: Settings, hq: Connection, upload: Upload, batch: Batch
) -> None:
    key = batch(upload(b"Email\na@example.com\n").upload_id)
    create_items(settings, key)
    first = items_of(hq)
    hq.commit()

    assert create_items(settings, key) == ItemsReport(rows=1, items=1, rejected=0, created=0)
    assert items_of(hq) == first


def test_the_officials_give_537_items_in_106_companies(
    settings: Settings, hq: Connection, client: str, batch: Batch, officials: Path
) -> None:
    report = upload_file(settings, officials, client)
    assert (report.rows, report.rejected, len(report.columns)) == (537, 0, 58)
    create_items(settings, batch(report.upload_id))

    rows = items_of(hq)
    assert len(rows) == 537
    assert len({r["company_key"] for r in rows}) == 106
    assert rows[0]["company_name"] == "U.S. Senate, Washington Delegation"
    assert rows[0]["original_data"]["Corporate Phone"] == "202-224-3441"
    assert (rows[0]["phone"], rows[0]["details"]["phone_country"]) == ("+12022243441", "US")
