"""Leads to CRMs, tables, a sheet and files: made once, changed where they changed; people's work there is kept."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx

from enrichment_assets.domain.patience import Limits, Retry
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import Delivered, deliver
from tests.actors import TESTER
from tests.destinations.test_checking import example
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of

Row = dict[str, Any]
AUTH = {"authorization": "Bearer sandbox"}
TIDY = WorkflowDefinition.model_validate(
    {"slug": "tidy", "title": "Tidy", "step": 1, "provider": "local", "operation": "normalise_name", "mode": "local",
     "uses": ["first_name", "last_name"]}
)  # fmt: skip
SLUGS = ("hubspot-contacts", "airtable-leads", "sheets-leads", "file-drop", "salesforce-contacts", "attio-people",
         "pipedrive-persons")  # fmt: skip
LOST = {"resets": 1, "fault_attempts": 1}
"""The first answer to each question is lost after the work was done."""

FORGETFUL = ("sheets", "attio")
AGAIN = Retry(attempts=10, base=0.01, max=0.02)


class There:
    """The destinations at the simulator, as people set them up and see them."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.http = httpx.Client(base_url=sandbox.url, headers=AUTH)
        told = {"name": "enrichment_key", "type": "string", "hasUniqueValue": True}
        self.http.post("/hubspot/crm/v3/properties/contacts", json=told)
        fields = [{"name": name} for name in ("Enrichment key", "Name", "Email", "Title", "Company", "Phone")]
        choices = {"name": "Status", "type": "singleSelect", "options": {"choices": [{"name": "New"}, {"name": "Won"}]}}
        self.http.post("/airtable/v0/meta/bases/appLeads1/tables", json={"name": "Leads", "fields": [*fields, choices]})
        made = self.http.post("/sheets/v4/spreadsheets", json={"sheets": [{"properties": {"title": "Leads"}}]})
        self.book = made.json()["spreadsheetId"]
        self.put("A1", ["Name", "Email", "Title", "Company", "Phone", "LinkedIn", "Note", "Enrichment Key"])

    def put(self, where: str, *rows: list[Any]) -> None:
        told = {"valueInputOption": "RAW", "data": [{"range": f"Leads!{where}", "values": list(rows)}]}
        self.http.post(f"/sheets/v4/spreadsheets/{self.book}/values:batchUpdate", json=told).raise_for_status()

    def sheet(self) -> list[list[Any]]:
        found: list[list[Any]] = self.http.get(f"/sheets/v4/spreadsheets/{self.book}/values/Leads!A2:G9").json()[
            "values"
        ]
        return found

    def contacts(self) -> dict[str, Row]:
        names = "email,firstname,jobtitle,phone,hs_lead_status"
        shown = self.http.get("/hubspot/crm/v3/objects/contacts", params={"limit": 100, "properties": names}).json()
        return {one["properties"]["email"]: one["properties"] | {"id": one["id"]} for one in shown["results"]}

    def records(self) -> dict[str, Row]:
        shown = self.http.get("/airtable/v0/appLeads1/Leads").json()["records"]
        return {one["fields"]["Name"]: one["fields"] | {"id": one["id"]} for one in shown}

    def names(self) -> dict[str, list[str]]:
        """Names at the three that are examples."""
        found = self.http.get("/salesforce/services/data/v60.0/sobjects/Contact/LastName/Archer").json()
        several = len(found) if isinstance(found, list) else 1
        people = self.http.post("/attio/v2/objects/people/records/query", json={}).json()["data"]
        asked = {"term": "Archer", "fields": "name"}
        persons = self.http.get("/pipedrive/api/v2/persons/search", params=asked, headers={"x-api-token": "sandbox"})
        return {
            "salesforce": ["Archer"] * several,
            "attio": sorted(one["values"]["name"][0]["value"] for one in people),
            "pipedrive": sorted(one["item"]["name"] for one in persons.json()["data"]["items"]),
        }

    def files(self) -> list[list[Row]]:
        names = self.http.get("/files/").json()["files"]
        texts = (self.http.get(f"/files/{name}").text for name in names)
        return [list(csv.DictReader(io.StringIO(text, newline=""))) for text in texts]


def person(name: str, email: str | None, **columns: str) -> Row:
    told = {"first_name": name, "last_name": "Archer", "full_name": f"{name} Archer", "company_name": "Acme"}
    return {**told, **({"email": email} if email else {}), **columns}


def sent(batch: Launched) -> Delivered:
    providers = build_providers(batch.sandbox.url)
    return deliver(hq_of(batch.settings), batch.settings, batch.key, SLUGS, actor=TESTER, providers=providers)


def launched(harness: BatchHarness, *rows: Row) -> Launched:
    batch = harness.launch(list(rows), TIDY)
    batch.run()
    return batch


def states(batch: Launched) -> set[tuple[Any, ...]]:
    rows = batch.rows(
        "select s.workflow_slug, i.first_name as name, s.status, s.reason from workflow_states s "
        "join batch_items i on i.id = s.item_id where i.batch_id = %s and s.workflow_slug <> 'tidy'",
        batch.batch_id,
    )
    return {(row["workflow_slug"].partition("-")[0], row["name"], row["status"], row["reason"]) for row in rows}


def test_leads_are_made_once_in_seven_places_and_changed_where_they_changed(harness: BatchHarness) -> None:
    there, hq = There(harness.sandbox), hq_of(harness.settings)
    own = {"airtable-leads": {"base": "appLeads1"}, "sheets-leads": {"spreadsheet": there.book}}
    org = f"{harness.sandbox.url}/salesforce"
    for slug in SLUGS:
        more: Row = {"retry": AGAIN, "limits": Limits(), **({"base_url": org} if slug == "salesforce-contacts" else {})}
        workflow = example(slug, **own.get(slug, {}))
        if workflow.bulk is not None:
            more["bulk"] = workflow.bulk.model_copy(update={"wait": 0.2})
        workflow = workflow.model_copy(update=more)
        add_workflow(hq, harness.settings, workflow, actor=TESTER)
    was_there = there.http.post(
        "/hubspot/crm/v3/objects/contacts",
        json={"properties": {"email": "dee@acme.com", "hs_lead_status": "CONNECTED", "phone": "her own"}},
    ).json()["id"]
    eve = "https://www.linkedin.com/in/eve-archer"
    first = launched(
        harness,
        person("Ann", "Ann@acme.com", title="=CEO", phone="+12125550101"),
        person("Twin", "ann@acme.com", linkedin_url="https://www.linkedin.com/in/twin-archer"),
        person("Eve", None, linkedin_url=eve),
        person("Dee", "dee@acme.com", phone="+12125550104"),
        person("Jon", "jon@xn--bcher-kva.xn--p1ai"),
    )
    harness.sandbox.configure(providers=dict.fromkeys(FORGETFUL, LOST))
    done = sent(first)
    harness.sandbox.configure(providers=dict.fromkeys(FORGETFUL))
    assert dict(done.stopped) == {}
    seen = states(first)
    assert {one for one in seen if one[1] in ("Ann", "Dee") and one[2] != "COMPLETED"} == set()
    assert {(one[0], one[3].partition(":")[0]) for one in seen if one[1] == "Twin"} == {
        (slug.partition("-")[0], "same_lead") for slug in SLUGS
    }
    refused = {(one[0], one[2], one[3]) for one in seen if one[1] in ("Eve", "Jon") and one[2] != "COMPLETED"}
    assert {(slug, status) for slug, status, _ in refused} == {("hubspot", "SKIPPED"), ("hubspot", "FAILED")}
    assert any("Email address jon@xn--bcher-kva.xn--p1ai is invalid" in reason for *_, reason in refused)

    contacts = there.contacts()
    assert set(contacts) == {"ann@acme.com", "dee@acme.com"}
    assert (contacts["ann@acme.com"]["jobtitle"], contacts["ann@acme.com"]["hs_lead_status"]) == ("=CEO", "NEW")
    dee = contacts["dee@acme.com"]
    assert (dee["id"], dee["firstname"], dee["hs_lead_status"], dee["phone"]) == (
        was_there,
        "Dee",
        "CONNECTED",
        "her own",
    )
    assert {name: one.get("Status") for name, one in there.records().items()} == dict.fromkeys(
        ("Ann Archer", "Eve Archer", "Dee Archer", "Jon Archer"), "New"
    )
    assert sorted(line[0] for line in there.sheet()) == ["Ann Archer", "Dee Archer", "Eve Archer", "Jon Archer"]
    assert next(line for line in there.sheet() if line[0] == "Ann Archer")[2] == "=CEO"
    (file,) = there.files()
    assert {one["Name"]: one["Title"] for one in file}["Ann Archer"] == "'=CEO"

    everybody = ["Ann Archer", "Dee Archer", "Eve Archer", "Jon Archer"]
    assert there.names() == {"salesforce": ["Archer"] * 4, "attio": everybody, "pipedrive": everybody}

    # People work there: a row is sorted away and noted on, a number is filled in, a record and a contact are deleted.
    change = {"sortRange": {"range": {"sheetId": 0, "startRowIndex": 1}, "sortSpecs": [{"dimensionIndex": 0}]}}
    there.http.post(f"/sheets/v4/spreadsheets/{there.book}:batchUpdate", json={"requests": [change]})
    where = next(number for number, line in enumerate(there.sheet(), 2) if line[0] == "Eve Archer")
    there.put(f"E{where}", ["rep's number"])
    there.put(f"G{where}", ["called twice"])
    there.http.delete(f"/airtable/v0/appLeads1/Leads/{there.records()['Dee Archer']['id']}")
    there.http.patch(f"/hubspot/crm/v3/objects/contacts/{contacts['ann@acme.com']['id']}",
                     json={"properties": {"hs_lead_status": "OPEN"}})  # fmt: skip
    there.http.delete(f"/hubspot/crm/v3/objects/contacts/{was_there}")

    second = launched(
        harness,
        person("Ann", "ann@acme.com", title="Chair", phone="+12125550101"),
        person("Eve", None, linkedin_url=eve, phone="+12125550105", title="CTO"),
        person("Dee", "dee@acme.com", phone="+12125550104", title="CFO"),
    )
    sent(second)
    gone = {(one[0], one[1], (one[3] or "").partition(":")[0]) for one in states(second) if one[2] == "SKIPPED"}
    assert gone == {
        ("hubspot", "Dee", "deleted_there"), ("airtable", "Dee", "deleted_there"), ("hubspot", "Eve", "missing_input"),
        ("attio", "Ann", "unchanged"),  # her title is there, and may be written only where there is none
        *(("pipedrive", name, "unchanged") for name in ("Ann", "Dee", "Eve")),  # it has no titles
    }  # fmt: skip
    ann = there.contacts()["ann@acme.com"]
    assert (ann["jobtitle"], ann["hs_lead_status"], len(there.contacts())) == ("Chair", "OPEN", 1)
    records = there.records()
    assert (records["Ann Archer"]["Title"], records["Eve Archer"]["Phone"], len(records)) == (
        "Chair",
        "+12125550105",
        3,
    )
    rows = {line[0]: line for line in there.sheet()}
    assert (len(rows), rows["Eve Archer"][2], rows["Eve Archer"][4], rows["Eve Archer"][6]) == (
        4, "CTO", "rep's number", "called twice"
    )  # fmt: skip
    assert rows["Ann Archer"][2] == "Chair"
    names = [{one["Name"] for one in file} for file in there.files()]
    assert sorted(map(sorted, names)) == [
        ["Ann Archer", "Dee Archer", "Eve Archer"], ["Ann Archer", "Dee Archer", "Eve Archer", "Jon Archer"]
    ]  # fmt: skip
    again = sent(second)
    assert {plan.destination: (plan.created, plan.updated) for plan in again.plans} == dict.fromkeys(SLUGS, (0, 0))
