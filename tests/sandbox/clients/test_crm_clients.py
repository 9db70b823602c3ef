"""The vendors' own clients of HubSpot and Google, and Airtable's best-known one, against the sandbox.

What they send and what they can read is a contract that nobody here wrote. Salesforce, Pipedrive and Attio, whose
clients are large or many, are asked by hand.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from hubspot import HubSpot
from hubspot.crm.companies.exceptions import ApiException as CompanyException
from hubspot.crm.contacts.exceptions import ApiException, ForbiddenException
from pyairtable import Api
from requests.exceptions import HTTPError

from enrichment_assets.sandbox import SandboxProcess


def hubspot(sandbox: SandboxProcess, token: str = "pat-one") -> Any:
    return HubSpot(access_token=token, host=f"{sandbox.url}/hubspot")


def contact(key: str, **properties: str) -> dict[str, Any]:
    return {"id": key, "idProperty": "our_key", "objectWriteTraceId": key, "properties": properties}


def said(error: Any) -> Any:
    return json.loads(error.value.body)


def test_hubspots_client_upserts_by_a_property_of_ours_and_reads_who_failed(sandbox: SandboxProcess) -> None:
    crm = hubspot(sandbox).crm
    upsert = crm.contacts.batch_api.upsert
    with pytest.raises(ApiException) as refused:
        upsert({"inputs": [contact("k-1", email="ann@acme.example")]})
    assert "non-unique 0-1 property our_key" in said(refused)["message"]
    crm.properties.core_api.create(
        "contacts", {"name": "our_key", "label": "Our key", "type": "string", "fieldType": "text",
                     "groupName": "contactinformation", "hasUniqueValue": True},
    )  # fmt: skip
    first = upsert({"inputs": [contact("k-1", email="Ann@Acme.example", firstname="Ann"), contact("k-2", city="Rome")]})
    assert [(one.object_write_trace_id, one.new) for one in first.results] == [("k-2", True), ("k-1", True)]
    assert first.results[1].properties["email"] == "ann@acme.example"  # kept in small letters
    mixed = upsert({"inputs": [
        contact("k-1", jobtitle="CEO"),
        contact("k-3", email="no address"),
        contact("k-4", lifecyclestage="Customer"),
        contact("k-5", shoe_size="44"),
        contact("k-6", email="ANN@acme.example"),
    ]})  # fmt: skip
    assert (mixed.num_errors, [one.new for one in mixed.results]) == (4, [False])
    told = {one.context["objectWriteTraceId"][0]: one for one in mixed.errors}
    assert [told[f"k-{number}"].errors[0].code for number in (3, 4, 5)] == [
        "INVALID_EMAIL", "INVALID_OPTION", "PROPERTY_DOESNT_EXIST"
    ]  # fmt: skip
    assert "[subscriber, lead, opportunity, customer]" in told["k-4"].message
    assert (told["k-6"].category, told["k-6"].context["id"]) == ("CONFLICT", [first.results[1].id])
    nameless = [{name: value for name, value in contact(key, email=key).items() if name != "objectWriteTraceId"}
                for key in ("k-7@acme.example", "k 8")]  # fmt: skip
    with pytest.raises(ApiException) as whole:  # without trace ids one bad input takes all others with it
        upsert({"inputs": nameless})
    assert whole.value.status == 400
    assert len(crm.contacts.get_all()) == 2
    by_email = [{"id": "eve@acme.example", "idProperty": "email", "properties": {"city": city}} for city in "AB"]
    with pytest.raises(ApiException) as twice:
        upsert({"inputs": by_email})
    assert "Duplicate IDs" in said(twice)["message"]
    with pytest.raises(CompanyException) as domain:
        crm.companies.batch_api.upsert({"inputs": [{"id": "acme.example", "idProperty": "domain", "properties": {}}]})
    assert "non-unique 0-2 property domain" in said(domain)["message"]


def test_hubspots_client_merges_deletes_associates_and_meets_limits_and_scopes(sandbox: SandboxProcess) -> None:
    crm = hubspot(sandbox).crm
    ann, bob = (crm.contacts.basic_api.create({"properties": {"email": f"{name}@acme.example"}}) for name in ("a", "b"))
    acme = crm.companies.basic_api.create({"properties": {"name": "Acme"}})
    pair = {"from": {"id": ann.id}, "to": {"id": acme.id}}
    assert (
        crm.associations.v4.batch_api.create_default("contacts", "companies", {"inputs": [pair]}).status == "COMPLETE"
    )
    crm.contacts.basic_api.merge({"primaryObjectId": ann.id, "objectIdToMerge": bob.id})
    assert crm.contacts.basic_api.get_by_id(bob.id).id == ann.id
    crm.contacts.basic_api.archive(ann.id)
    read = crm.contacts.batch_api.read(
        {"inputs": [{"id": ann.id}], "properties": ["email"], "propertiesWithHistory": []}
    )
    assert (read.results, read.errors[0].context["ids"]) == ([], [ann.id])
    dated = httpx.get(
        f"{sandbox.url}/hubspot/crm/objects/2026-03/companies", headers={"authorization": "Bearer pat-one"}
    )
    assert [one["properties"]["name"] for one in dated.json()["results"]] == ["Acme"]
    assert dated.headers["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
    with pytest.raises(ForbiddenException) as scope:
        hubspot(sandbox, "pat-two+crm.objects.contacts.read").crm.contacts.batch_api.upsert({"inputs": [contact("k")]})
    assert said(scope)["category"] == "MISSING_SCOPES"
    policies = []
    for settings in ({"limits": "1/h"}, {"limits": None, "quota": 0}):
        sandbox.configure(providers={"hubspot": settings})
        with pytest.raises(ApiException) as limited:
            for _ in range(2):
                crm.contacts.basic_api.get_page()
        policies.append((limited.value.status, said(limited)["policyName"]))
    assert policies == [(429, "TEN_SECONDLY_ROLLING"), (429, "DAILY")]


def test_googles_client_appends_reads_and_updates_cells(sandbox: SandboxProcess) -> None:
    token = Credentials(token="ya29.rep@acme.iam.example")
    service = build("sheets", "v4", credentials=token, client_options={"api_endpoint": f"{sandbox.url}/sheets"},
                    static_discovery=True)  # fmt: skip
    sheets = service.spreadsheets()
    book = sheets.create(body={"sheets": [{"properties": {"title": "New leads"}}]}).execute()["spreadsheetId"]
    values = sheets.values()

    def append(where: str, *rows: list[Any], how: str = "RAW") -> str:
        asked = values.append(spreadsheetId=book, range=where, valueInputOption=how, insertDataOption="INSERT_ROWS",
                              body={"values": list(rows)})  # fmt: skip
        return str(asked.execute()["updates"]["updatedRange"])

    def shown(where: str, **how: str) -> list[list[Any]]:
        found: list[list[Any]] = values.get(spreadsheetId=book, range=where, **how).execute().get("values", [])
        return found

    assert append("'New leads'!A1", ["Key", "Name", "Phone"]) == "'New leads'!A1:C1"
    assert append("'New leads'!A1", ["k1", "=1+1", "+49 30 1"], ["k2", "@ann", "007"]) == "'New leads'!A2:C3"
    assert shown("'New leads'!A2:C3") == [["k1", "=1+1", "+49 30 1"], ["k2", "@ann", "007"]]
    append("'New leads'!A1", ["k3", "=1+1", "007"], how="USER_ENTERED")
    assert shown("'New leads'!A4:C4") == [["k3", "#NAME?", "7"]]
    assert shown("'New leads'!B4", valueRenderOption="FORMULA") == [["=1+1"]]
    values.update(spreadsheetId=book, range="'New leads'!C7:D7", valueInputOption="RAW",
                  body={"values": [["a note", "of a person"]]}).execute()  # fmt: skip
    # A gap ends a table: one cell finds the first, the whole sheet the last, which begins at column C.
    assert append("'New leads'!A1", ["k4"]) == "'New leads'!A5"
    assert append("New leads", ["k5"]) == "'New leads'!C9"
    cells = [{"userEnteredValue": {"stringValue": "=k6"}}]
    request = {"appendCells": {"sheetId": 0, "fields": "userEnteredValue", "rows": [{"values": cells}]}}
    sheets.batchUpdate(spreadsheetId=book, body={"requests": [request]}).execute()
    assert shown("'New leads'!A10") == [["=k6"]]
    done = values.batchUpdate(spreadsheetId=book, body={"valueInputOption": "RAW", "data": [
        {"range": "'New leads'!B2:C2", "values": [[None, "-1"]]}]}).execute()  # fmt: skip
    assert (done["totalUpdatedRows"], shown("'New leads'!A2:C2")) == (1, [["k1", "=1+1", "-1"]])
    both = values.batchGet(spreadsheetId=book, ranges=["'New leads'!1:1", "'New leads'!A2:A4"]).execute()
    assert [one.get("values") for one in both["valueRanges"]] == [[["Key", "Name", "Phone"]], [["k1"], ["k2"], ["k3"]]]
    with pytest.raises(HttpError) as outside:
        shown("'New leads'!A1002:A2000")
    assert "exceeds grid limits. Max rows: 1001, max columns: 26" in str(outside.value)
    token.token = "ya29.viewer@acme.iam.example"
    with pytest.raises(HttpError) as kept_out:
        values.clear(spreadsheetId=book, range="'New leads'!A1").execute()
    assert kept_out.value.status_code == 403


def test_pyairtable_upserts_and_is_refused_where_two_match(sandbox: SandboxProcess) -> None:
    url = f"{sandbox.url}/airtable"
    fields = [{"name": "Key", "type": "singleLineText"}, {"name": "Score", "type": "number"},
              {"name": "Status", "type": "singleSelect", "options": {"choices": [{"name": "New"}]}}]  # fmt: skip
    httpx.post(f"{url}/v0/meta/bases/appLeads1/tables", headers={"authorization": "Bearer pat-one"},
               json={"name": "Leads", "fields": fields}).raise_for_status()  # fmt: skip
    table = Api("pat-one", endpoint_url=url, retry_strategy=None).table("appLeads1", "Leads")
    records = [{"fields": {"Key": f"k{number}", "Score": number}} for number in range(11)]
    made = table.batch_upsert(records, ["Key"])
    assert (len(made["createdRecords"]), made["updatedRecords"]) == (11, [])
    again = table.batch_upsert([{"fields": {"Key": "k1", "Score": 99}}], ["Key"])
    assert (again["createdRecords"], again["records"][0]["fields"]) == ([], {"Key": "k1", "Score": 99})
    table.create({"Key": "k1"})
    wrong = [([{"Key": "k2", "Score": 5}, {"Key": "k1"}], {}), ([{"Key": "k2", "Score": "five"}], {}),
             ([{"Key": "k2", "Status": "Sold"}], {}), ([{"Key": "k2", "Colour": "red"}], {})]  # fmt: skip
    for cells, more in wrong:
        with pytest.raises(HTTPError) as refused:
            table.batch_upsert([{"fields": one} for one in cells], ["Key"], **more)
        assert refused.value.response.status_code == 422
    kept = {one["fields"]["Key"]: one["fields"] for one in table.all()}
    assert kept["k2"] == {"Key": "k2", "Score": 2}  # whole or not at all
    table.batch_upsert([{"fields": {"Key": "k2", "Score": "1,200", "Status": "Sold"}}], ["Key"], typecast=True)
    assert table.all(formula="{Key}='k2'")[0]["fields"] == {"Key": "k2", "Score": 1200.0, "Status": "Sold"}


def test_salesforce_pipedrive_and_attio_upsert_each_in_its_own_way(sandbox: SandboxProcess) -> None:
    with httpx.Client(headers={"authorization": "Bearer one", "x-api-token": "one"}) as client:
        url = f"{sandbox.url}/salesforce/services/data/v60.0"
        upsert = f"{url}/composite/sobjects/Contact/Enrichment_Key__c"

        def contacts(*told: dict[str, Any], whole: bool = False) -> list[tuple[Any, ...]]:
            records = [{"attributes": {"type": "Contact"}, **one} for one in told]
            answer = client.patch(upsert, json={"allOrNone": whole, "records": records})
            assert answer.status_code == 200
            return [(one["success"], one.get("created"), *(error["statusCode"] for error in one["errors"]))
                    for one in answer.json()]  # fmt: skip

        ann, nameless = {"Enrichment_Key__c": "k1", "LastName": "Lee"}, {"Enrichment_Key__c": "k2"}
        assert contacts(ann, nameless, whole=True)[0] == (False, None, "ALL_OR_NONE_OPERATION_ROLLED_BACK")
        assert contacts(ann, nameless) == [(True, True), (False, None, "REQUIRED_FIELD_MISSING")]
        assert contacts({**ann, "Email": "no address"}, ann) == [(False, None, "INVALID_EMAIL_ADDRESS"), (True, False)]
        client.post(f"{url}/sobjects/Contact", json=ann)
        client.post(f"{url}/sobjects/Contact", json={**nameless, "_hidden": True})
        assert client.get(f"{url}/sobjects/Contact/Enrichment_Key__c/k1").status_code == 300
        assert contacts(ann, {**nameless, "LastName": "Ray"}) == [
            (False, None, "DUPLICATE_EXTERNAL_ID"), (False, None, "DUPLICATE_VALUE")
        ]  # fmt: skip

        url = f"{sandbox.url}/pipedrive/api/v2/persons"
        asked = {"term": "ANN@acme.example", "fields": "email", "exact_match": "true"}
        assert client.get(f"{url}/search", params=asked).json()["data"]["items"] == []
        person = {"name": "Ann", "emails": [{"value": "ann@acme.example", "primary": True}]}
        assert client.post(url, json=person).status_code == 201
        (found,) = client.get(f"{url}/search", params=asked).json()["data"]["items"]
        assert (found["item"]["id"], found["item"]["emails"]) == (1, ["ann@acme.example"])
        assert client.patch(f"{url}/1", json={"name": "Ann Lee"}).json()["data"]["emails"] == person["emails"]
        assert client.get(f"{sandbox.url}/pipedrive/api/v1/persons/1").status_code == 404

        url = f"{sandbox.url}/attio/v2/objects/people/records"
        values = {"email_addresses": ["Ann@Acme.example"], "job_title": "CEO"}
        one, two = (
            client.put(url, params={"matching_attribute": by}, json={"data": {"values": values}})
            for by in ("email_addresses", "job_title")
        )
        kept = one.json()["data"]["values"]["email_addresses"]
        assert [value["email_address"] for value in kept] == ["ann@acme.example"]
        assert two.status_code == 400
        sandbox.configure(providers={"attio": {"limits": "1/m"}})
        late = [client.put(url, json={}) for _ in range(2)][1]
        assert parsedate_to_datetime(late.headers["retry-after"]) > datetime.now(UTC)
