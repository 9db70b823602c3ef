"""A client's own CRM as destination, simulated (`/webhook`), and what tests ask of it."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.sandbox.process import SandboxProcess

Row = dict[str, Any]

CONTACT = {"key": "{{ key }}", "list": "{{ target }}", "fields": "{{ fields }}"}
FIND = {
    "request": {"method": "GET", "url": "/contacts", "query": {"key": "{{ key }}"}},
    "external_id": "contacts[0].id",
}


def destination(slug: str = "to-crm", delivery: Row | None = None, **fields: Any) -> WorkflowDefinition:
    """A delivery to it: three fields by name, one of them written only where nothing stands there."""
    there = "/contacts/{{ delivery.external_id }}"
    given: Row = {
        "fields": {
            "Email": "email",
            "Name": {"value": "{{ first_name }} {{ last_name }}"},
            "Phone": {"from": "phone", "write": "if_empty"},
        },
        "update": {"request": {"method": "PUT", "url": there, "body": {"fields": "{{ fields }}"}}},
    }
    values: Row = {
        "slug": slug,
        "title": "Leads to a CRM",
        "phase": "delivery",
        "step": 900,
        "provider": "webhook",
        "operation": "deliver",
        "mode": "sync",
        "request": {"url": "/contacts", "body": CONTACT},
        "response": {"external_id": "id", "not_found_status": [404, 410]},
        "retry": {"base": 0.01, "max": 0.02},
    }
    return WorkflowDefinition.model_validate({**values, **fields, "delivery": {**given, **(delivery or {})}})


def contacts(sandbox: SandboxProcess) -> list[Row]:
    """What is there, oldest first."""
    with urllib.request.urlopen(f"{sandbox.url}/webhook/contacts", timeout=10) as answer:
        found: list[Row] = json.load(answer)["contacts"]
    return found


def ask(sandbox: SandboxProcess, method: str, path: str, body: Row | None = None) -> Row:
    """Somebody else does something there."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{sandbox.url}/webhook{path}", data=data, method=method)
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: Row = json.load(answer)
    return found
