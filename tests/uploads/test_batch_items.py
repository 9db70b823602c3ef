"""From an upload to batch items: rows, identity columns, company keys, leases and states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from enrichment_assets.services.batches.items import ItemsReport, create_items
from enrichment_assets.services.uploads.upload import UploadReport, upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

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
    created = create_items(hq_of(settings), settings, batch(report.upload_id))

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
    create_items(hq_of(settings), settings, key)
    first = items_of(hq)
    hq.commit()

    assert create_items(hq_of(settings), settings, key) == ItemsReport(rows=1, items=1, rejected=0, created=0)
    assert items_of(hq) == first


def test_the_officials_give_537_items_in_106_companies(
    settings: Settings, hq: Connection, client: str, batch: Batch, officials: Path
) -> None:
    report = upload_file(hq_of(settings), settings, officials, client, actor=TESTER)
    assert (report.rows, report.rejected, len(report.columns)) == (537, 0, 58)
    create_items(hq_of(settings), settings, batch(report.upload_id))

    rows = items_of(hq)
    assert len(rows) == 537
    assert len({r["company_key"] for r in rows}) == 106
    assert rows[0]["company_name"] == "U.S. Senate, Washington Delegation"
    assert rows[0]["original_data"]["Corporate Phone"] == "202-224-3441"
    assert (rows[0]["phone"], rows[0]["details"]["phone_country"]) == ("+12022243441", "US")


def test_of_several_columns_a_row_takes_the_first_with_a_value_and_keeps_the_others_beside(
    settings: Settings, hq: Connection, upload: Upload, batch: Batch
) -> None:
    rows = [
        "Email,Email Status,Personal Email,Personal Email Status,Work Email,"
        "Mobile Phone,Work Phone,Website,Company Website,Country",
        "a@x.example; a2@x.example,valid,a3@home.example,,A@x.example,"
        "n/a,+44 20 7946 0123,x.example,https://x.example/de,France",
        "n/a,invalid,b@home.example,valid,TBD,000-000-0000,(202) 555-0123,N.A.,www.y.example,United States",
        ",,none,,c@z.example,(202) 555-0111,202-555-0122,,-,USA",
        "d@x,bounced,,,,+49 30 901820,030 901821,z.example,z.example,Germany",
        "-,unknown,E@home.example,,,,,,,",
    ]
    create_items(hq_of(settings), settings, batch(upload("\n".join(rows).encode()).upload_id))
    items = items_of(hq)

    assert [(i["email"], i["phone"], i["company_website"]) for i in items] == [
        ("a@x.example", "+442079460123", "x.example"),
        ("b@home.example", "+12025550123", "www.y.example"),
        ("c@z.example", "+12025550111", None),
        (None, "+4930901820", "z.example"),
        ("e@home.example", None, None),
    ]
    assert [(i["details"] or {}).get("email_records") for i in items] == [
        [
            {"address": "a@x.example", "status": "valid"},
            {"address": "a3@home.example", "role": "candidate", "column": "Personal Email"},
            {"address": "a2@x.example", "role": "candidate", "column": "Email"},
        ],
        [{"address": "b@home.example", "status": "valid", "column": "Personal Email"}],
        None,
        None,
        [{"address": "e@home.example", "column": "Personal Email"}],
    ]
    assert [[r["number"] for r in (i["details"] or {}).get("phone_records", [])] for i in items] == [
        ["+442079460123"], ["+12025550123"], ["+12025550111", "+12025550122"], ["+4930901820", "+4930901821"], [],
    ]  # fmt: skip
    assert items[0]["rejected"]["company_website"] == {
        "value": "x.example", "reason": "several", "others": ["https://x.example/de"],
    }  # fmt: skip
    assert [{name: e["reason"] for name, e in (i["rejected"] or {}).items()} for i in items[1:4]] == [
        {"email": "placeholder", "phone": "not_callable", "company_website": "placeholder"},
        {"company_website": "placeholder"},
        {"email": "not_an_address"},
    ]
