"""What a destination lacks is said before the first lead goes, with what to do; asking changes nothing there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import workflow_faults
from enrichment_assets.domain.yaml_text import load_yaml
from enrichment_assets.providers import PROVIDERS, build_providers
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.deliveries.checking import check_delivery
from tests.harness.marks import ROOT

EXAMPLES = sorted((ROOT / "examples" / "destinations").glob("*.yaml"))


def example(name: str, **parameters: Any) -> WorkflowDefinition:
    path = ROOT / "examples" / "destinations" / f"{name}.yaml"
    read = load_yaml(path.read_text(encoding="utf-8"), path.name)
    return WorkflowDefinition.model_validate({**read, "parameters": {**read["parameters"], **parameters}})


def lacks(sandbox: SandboxProcess, workflow: WorkflowDefinition) -> list[str]:
    found = asked(sandbox, workflow)
    assert found is not None
    return found


def asked(sandbox: SandboxProcess, workflow: WorkflowDefinition) -> list[str] | None:
    return check_delivery(workflow, build_providers(sandbox.url)[workflow.provider], sandbox.url)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Any:
    def named(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return named


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_is_a_workflow_without_a_fault(path: Path) -> None:
    assert len(EXAMPLES) == 7
    workflow = example(path.stem)
    assert [str(fault) for fault in workflow_faults(workflow, PROVIDERS)] == []
    assert workflow.slug == path.stem
    assert workflow.free_or_idempotent or (workflow.delivery is not None and workflow.delivery.find is not None)


def test_hubspot_says_which_property_is_missing_and_which_scope(sandbox: SandboxProcess, key: Any) -> None:
    workflow = example("hubspot-contacts")
    assert lacks(sandbox, workflow) == [
        "there is no property 'enrichment_key': create it as a single-line text with unique values (`hasUniqueValue`)"
    ]
    url, auth = f"{sandbox.url}/hubspot/crm/v3/properties/contacts", {"authorization": "Bearer sandbox"}
    httpx.post(url, headers=auth, json={"name": "enrichment_key", "type": "string", "hasUniqueValue": True})
    assert lacks(sandbox, workflow) == []
    assert workflow.delivery is not None
    fields = {**workflow.delivery.fields, "first name": workflow.delivery.fields["firstname"],
              "createdate": workflow.delivery.fields["city"]}  # fmt: skip
    wrong = workflow.model_copy(update={"delivery": workflow.delivery.model_copy(update={"fields": fields})})
    assert [fault.partition(":")[0] for fault in lacks(sandbox, wrong)] == [
        "HubSpot has no property 'first name'", "HubSpot's property 'createdate' is read-only"
    ]  # fmt: skip
    key(HUBSPOT_TOKEN="sandbox+crm.schemas.contacts.read")
    assert lacks(sandbox, workflow) == ["HubSpot: HTTP 403: the private app lacks a scope: crm.objects.contacts.write"]
    key(HUBSPOT_TOKEN="invalid-token")
    assert "the key was refused" in lacks(sandbox, workflow)[0]
    assert httpx.get(f"{sandbox.url}/hubspot/crm/v3/objects/contacts", headers=auth).json()["results"] == []


def test_airtable_says_which_table_and_fields_are_missing(sandbox: SandboxProcess, key: Any) -> None:
    workflow = example("airtable-leads", base="appLeads1")
    url, auth = f"{sandbox.url}/airtable/v0/meta/bases/appLeads1/tables", {"authorization": "Bearer sandbox"}
    fields = [{"name": name} for name in ("Name", "Email", "Company", "Phone", "Status")]
    httpx.post(url, headers=auth, json={"name": "People", "fields": []})
    assert lacks(sandbox, workflow) == ["the base appLeads1 has no table 'Leads': there are 'People'"]
    httpx.post(url, headers=auth, json={"name": "Leads", "fields": [*fields, {"name": "Title", "type": "formula"}]})
    assert lacks(sandbox, workflow) == [
        "the table has no field 'Enrichment key': create it as a single line of text",
        "the field 'Title' is computed by Airtable: take it out of `delivery.fields`",
    ]
    key(AIRTABLE_TOKEN="sandbox+schema.bases:read")
    assert "not shared with the token" in lacks(sandbox, workflow)[0]


def test_sheets_says_which_columns_are_missing_and_whether_it_may_write(sandbox: SandboxProcess, key: Any) -> None:
    base, auth = f"{sandbox.url}/sheets/v4/spreadsheets", {"authorization": "Bearer ya29.rep"}
    book = httpx.post(base, headers=auth, json={"sheets": [{"properties": {"title": "Leads"}}]}).json()["spreadsheetId"]
    workflow = example("sheets-leads", spreadsheet=book)
    key(GOOGLE_SHEETS_CREDENTIALS="ya29.rep")

    def headed(*names: str) -> None:
        told = {"valueInputOption": "RAW", "data": [{"range": "Leads!A1", "values": [names]}]}
        httpx.post(f"{base}/{book}/values:batchUpdate", headers=auth, json=told).raise_for_status()

    headed("Name", " email", "Title", "Company", "PHONE")
    assert [fault.partition(": ")[0] for fault in lacks(sandbox, workflow)] == [
        "the sheet 'Leads' has no column 'Enrichment key'", "the sheet 'Leads' has no column 'LinkedIn'"
    ]  # fmt: skip
    headed("Name", " email", "Title", "Company", "PHONE", "LinkedIn", "Enrichment Key ")
    assert lacks(sandbox, workflow) == []
    assert lacks(sandbox, example("sheets-leads", spreadsheet=book, sheet="Lead")) == [
        "the spreadsheet has no sheet 'Lead': there are 'Leads'"
    ]
    assert "no such spreadsheet" in lacks(sandbox, example("sheets-leads", spreadsheet="gone"))[0]
    key(GOOGLE_SHEETS_CREDENTIALS="ya29.viewer")
    assert "not shared with this account for writing" in lacks(sandbox, workflow)[0]
    key(GOOGLE_SHEETS_CREDENTIALS='{"type": "service_account"}')
    assert "no JSON of a service account" in lacks(sandbox, workflow)[0]


def test_who_cannot_be_asked_is_known(sandbox: SandboxProcess) -> None:
    assert asked(sandbox, example("pipedrive-persons")) is None
