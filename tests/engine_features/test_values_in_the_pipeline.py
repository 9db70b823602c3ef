"""What is no value acts as one nowhere: not in keys, conditions, requests and bills, not in tables and counts."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.emission import Parent, emission_of
from enrichment_assets.domain.emits import Emits
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.warehouse import build_models, open_warehouse, publish_batch_sources
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, company_step, step
from tests.harness.handles import hq_of

AWKWARD: list[dict[str, Any]] = [
    {
        "first_name": "Ann", "last_name": "Alder", "Email": "n/a", "Phone": "'+1 555-0100", "Company": "N/A",
        "Website": "N.A.", "Person Linkedin Url": "https://www.linkedin.com/in/unavailable/",
        "Country": "United States",
    },
    {
        "first_name": "Bob", "last_name": "NULL", "Email": "bob@birch.example; b2@birch.example",
        "Company": "Self-employed", "Phone": "'(202) 555-0123 x5", "Person Linkedin Url": "http://uk.linkedin.com/in/Bob-B/?trk=x",
        "Country": "United States",
    },
    {
        "first_name": "Cy", "last_name": "Cedar", "Email": "cy@cedar.example (work)", "Phone": "1.4155E+10",
        "Company": "Stealth Startup", "Country": "United States",
    },
    {
        "first_name": "Dee", "last_name": "Null", "Email": "TBD", "Work Email": "Dee@Elm.example",
        "Company": "None Ltd", "Website": "co.uk", "Phone": "0117 496 0123", "Country": "United States", "City": "Nan",
    },
    {
        "first_name": "Eve", "last_name": "Na", "Email": "eve@fir.con", "Company": "NA-KD", "Website": "https://www.na-kd.example",
        "Phone": "0117 496 0123", "Country": "United Kingdom", "City": "(blank)",
    },
]  # fmt: skip


def echo(slug: str, sent: str, **fields: Any) -> Any:
    """A step that sends one field, and finds what it sent."""
    workflow = step(slug, url="/echo", requires=[sent], provides={f"{slug}_sent": "json.it"}, response={}, **fields)
    template = workflow.model_dump(mode="json")
    template["request"]["body"] = {"it": f"{{{{{sent}}}}}"}
    return type(workflow).model_validate(template)


def tables(batch: Launched) -> Any:
    publish_batch_sources(hq_of(batch.settings), batch.settings, batch.key)
    build_models(batch.settings, batch.key)
    return open_warehouse(batch.settings, client_slug=batch.client, batch_key=batch.key)


def told(batch: Launched, item: int, column: str) -> list[tuple[bool, str | None, str, str | None]]:
    """What `enrich explain` shows of one column."""
    (chain,) = explain_lead(hq_of(batch.settings), batch.settings, batch.key, item, column)
    return [(link.wins, link.value, link.source, link.why_not) for link in chain.links]


def test_what_is_no_value_is_neither_asked_for_nor_paid_nor_delivered_nor_counted(harness: BatchHarness) -> None:
    batch = harness.launch(AWKWARD, echo("mail", "email"), echo("dial", "phone"), company_step("firm"))
    batch.run()

    assert [batch.state("mail", n)["status"] for n in range(1, 6)] == [
        "SKIPPED", "COMPLETED", "COMPLETED", "COMPLETED", "SKIPPED",
    ]  # fmt: skip
    sent = {r["fields"].get("mail_sent") or r["fields"].get("dial_sent") for r in batch.results()}
    assert {"bob@birch.example", "cy@cedar.example", "dee@elm.example", "+12025550123", "+441174960123"} <= sent
    assert batch.asked("dial") == 2
    assert [batch.state("firm", n)["reason"] for n in (1, 2, 3)] == ["missing_input: company_name"] * 3
    assert (batch.asked("firm"), batch.billed()) == (2, 2)

    items = batch.rows("select * from batch_items order by row_number")
    assert [item["company_key"] for item in items[:3]] == [None, None, None]
    assert items[0]["original_data"]["Phone"] == "'+1 555-0100"
    assert {name: entry["reason"] for name, entry in items[0]["rejected"].items()} == {
        "email": "placeholder", "phone": "not_callable", "company_name": "placeholder",
        "company_website": "placeholder", "linkedin_url": "removed_page",
    }  # fmt: skip

    warehouse = tables(batch)
    columns = "first_name, last_name, email, phone, linkedin_url, company_name, company_website, city"
    assert warehouse.execute(f"select {columns} from final_leads order by row_number").fetchall() == [
        ("Ann", "Alder", None, None, None, None, None, None),
        ("Bob", None, "bob@birch.example", "+12025550123", "https://www.linkedin.com/in/bob-b", None, None, None),
        ("Cy", "Cedar", "cy@cedar.example", None, None, None, None, None),
        ("Dee", "Null", "dee@elm.example", None, None, "None Ltd", None, "Nan"),
        ("Eve", "Na", None, "+441174960123", None, "NA-KD", "https://www.na-kd.example", None),
    ]
    counted = (
        "select field, filled, uploaded, rejected, rejected_reason from fill_rate "
        "where field in ('email', 'phone', 'company_name', 'city') order by field"
    )
    assert warehouse.execute(counted).fetchall() == [
        ("city", 1, 1, 1, "placeholder"),
        ("company_name", 2, 2, 3, "self_employed"),
        ("email", 3, 3, 3, "placeholder"),
        ("phone", 2, 2, 3, "not_callable"),
    ]  # fmt: skip
    provenance = (
        "select row_number, p.value, p.source_kind, candidates, p.rejected, rejected_value, rejected_reason "
        "from final_leads_provenance as p join hq.batch_items using (batch_key, item_id) "
        "where p.field = ? order by row_number"
    )
    assert warehouse.execute(provenance, ["email"]).fetchall() == [
        (1, None, "upload", 0, 1, "n/a", "placeholder"),
        (2, "bob@birch.example", "upload", 1, 0, None, None),
        (3, "cy@cedar.example", "upload", 1, 0, None, None),
        (4, "dee@elm.example", "upload", 1, 1, "TBD", "placeholder"),
        (5, None, "upload", 0, 1, "eve@fir.con", "unknown_suffix"),
    ]
    other_fields = "select row_number, other_fields from final_leads where other_fields like '%null%'"
    assert warehouse.execute(other_fields).fetchall() == []
    rejected = (
        "select field, value, reason, others, source_kind from stg_rejected_values where item_id = ? order by field"
    )
    assert warehouse.execute(rejected, [items[1]["id"]]).fetchall() == [
        ("company_name", "Self-employed", "self_employed", None, "upload"),
        ("email", "bob@birch.example; b2@birch.example", "several", '["b2@birch.example"]', "upload"),
        ("last_name", "NULL", "placeholder", None, "upload"),
    ]
    values = "select field, value from stg_field_values where item_id = ? and field like 'phone%' order by field"
    assert warehouse.execute(values, [items[1]["id"]]).fetchall() == [
        ("phone", "+12025550123"), ("phone_country", "US"), ("phone_extension", "5"),
    ]  # fmt: skip
    warehouse.close()

    assert told(batch, items[1]["id"], "email") == [
        (True, "bob@birch.example", "upload", None),
        (False, "b2@birch.example", "upload, Email", "kept beside: not offered as the lead's own"),
    ]
    assert told(batch, items[3]["id"], "email") == [
        (True, "dee@elm.example", "upload", None),
        (False, "TBD", "upload", "no value of its field: placeholder"),
    ]
    assert told(batch, items[0]["id"], "linkedin_url") == [
        (False, AWKWARD[0]["Person Linkedin Url"], "upload", "no value of its field: removed_page")
    ]

    with pytest.raises(ConfigurationError, match=r"`email` cannot be 'n/a': that is no value.*placeholder"):
        edit_lead(
            hq_of(batch.settings), batch.settings, batch.key, items[0]["id"], "email", "n/a", by="ada", actor=TESTER
        )
    with pytest.raises(ConfigurationError, match=r"`phone` cannot be '555-0100': .* as \+1 202 555 0123"):
        edit_lead(
            hq_of(batch.settings),
            batch.settings,
            batch.key,
            items[0]["id"],
            "phone",
            "555-0100",
            by="ada",
            actor=TESTER,
        )
    edit_lead(
        hq_of(batch.settings),
        batch.settings,
        batch.key,
        items[0]["id"],
        "phone",
        "(202) 555-0199",
        by="ada",
        actor=TESTER,
    )
    assert batch.rows("select value from item_edits") == [{"value": "+12025550199"}]


def test_what_an_answer_has_beside_its_type_does_not_compete_and_overwrites_nothing(harness: BatchHarness) -> None:
    given = {
        "email": True, "phone": False, "city": True, "title": ["CEO"], "company_employee_count": "10001+",
        "linkedin_url": "No LinkedIn found", "company_name": "null", "last_name": "Alder-Birch",
    }  # fmt: skip
    row = {
        "first_name": "Ann", "last_name": "Alder", "Email": "ann@alder.example", "Phone": "+1 202 555 0123",
        "City": "Troy", "Title": "CTO", "Person Linkedin Url": "linkedin.com/in/ann", "Company": "Alder", "n": "1",
    }  # fmt: skip
    workflow = step("pdl", url="/echo", provides={name: f"json.{name}" for name in given}, response={})
    template = workflow.model_dump(mode="json")
    template["request"]["body"] = given
    only_email = step("finder", url="/echo", provides={"email": "json.email"}, response={"found_if": "json.email"})
    finder = only_email.model_dump(mode="json")
    finder["request"]["body"] = {"email": "true"}
    batch = harness.launch([row], type(workflow).model_validate(template), type(workflow).model_validate(finder))
    batch.run()

    result, missed = sorted(batch.results(), key=lambda row: row["workflow_slug"] != "pdl")
    assert result["fields"] == {
        "last_name": "Alder-Birch", "company_employee_range": "10001+", "company_employee_range_min": 10001,
    }  # fmt: skip
    assert result["payload"]["json"]["email"] is True
    assert {name: entry["reason"] for name, entry in result["rejected"].items()} == {
        "email": "wrong_type", "phone": "wrong_type", "city": "wrong_type", "title": "wrong_type",
        "company_employee_count": "range", "linkedin_url": "placeholder", "company_name": "placeholder",
    }  # fmt: skip
    assert (missed["outcome"], missed["rejected"]["email"]["reason"]) == ("not_found", "not_an_address")
    assert batch.state("finder")["reason"] == "no value of its field: email (not_an_address)"
    assert str(batch.state("finder")["cost"]) == "0.010000"

    warehouse = tables(batch)
    columns = "last_name, email, phone, city, title, linkedin_url, company_name, company_employee_count"
    assert warehouse.execute(f"select {columns} from final_leads").fetchall() == [
        (
            "Alder-Birch",
            "ann@alder.example",
            "+12025550123",
            "Troy",
            "CTO",
            "https://www.linkedin.com/in/ann",
            "Alder",
            None,
        )
    ]
    assert told(batch, result["item_id"], "phone") == [
        (True, "+12025550123", "upload", None), (False, "false", "pdl", "no value of its field: wrong_type"),
    ]  # fmt: skip
    assert told(batch, result["item_id"], "company_employee_count") == [
        (False, "10001+", "pdl", "no value of its field: range")
    ]
    reasons = (
        "select field, reason from stg_rejected_values where source_workflow = 'pdl' and field in ('email', 'city')"
    )
    assert sorted(warehouse.execute(reasons).fetchall()) == [("city", "wrong_type"), ("email", "wrong_type")]
    warehouse.close()


def test_emitted_objects_are_judged_like_cells() -> None:
    emitted = [
        {
            "first_name": "Ann",
            "email": "n/a",
            "phone": "+1 202 555 0123 ext. 5",
            "title": True,
            "company_name": "Self-employed",
        },
        {"email": "null", "phone": "000-000-0000", "company_name": "N/A"},
        {"email": "Bob@Birch.example; x@y.example"},
    ]
    emission = emission_of(
        emitted,
        Parent(1, "company_name:alder", {"company_name": "Alder"}),
        workflow="find",
        emits=Emits(items="people"),
        key_of=lambda _element: None,
        route=(),
        company_rules=["company_name"],
    )
    assert (len(emission.children), emission.unusable) == (2, 1)
    ann, bob = emission.children
    names = dict(zip(IDENTITY_FIELDS, ann.identity, strict=True))
    assert (names["email"], names["phone"], names["title"], names["company_name"]) == (
        None,
        "+12025550123",
        None,
        "Alder",
    )
    assert ann.details == '{"phone_country":"US","phone_extension":"5"}'
    assert bob.origin_key == "find:email:bob@birch.example"
