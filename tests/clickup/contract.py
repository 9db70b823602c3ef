"""ClickUp's documented answers as OpenAPI (`openapi.yaml`), and whether one is as it says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import yaml

SPECIFICATION: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("openapi.yaml").read_text(encoding="utf-8"))


def hold_to_contract(answer: httpx.Response) -> None:
    """Fail for an answer that the documentation does not describe; one of another call says nothing."""
    operation = _operation(answer.request.method, answer.request.url.path.removeprefix("/clickup"))
    if operation is None:
        return
    answer.read()
    responses = operation["responses"]
    response = responses.get(str(answer.status_code), {"$ref": "#/components/responses/Error"})
    assert answer.status_code < 500, answer.text
    if answer.headers.get("content-type", "").startswith("application/json"):
        _validator(_place(response)).validate(answer.json())


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, operations in SPECIFICATION["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None


def _place(response: dict[str, Any]) -> str:
    """The name of an answer's schema in the components."""
    if response.get("$ref"):
        return "Error"
    return str(response["content"]["application/json"]["schema"]["$ref"]).rsplit("/", 1)[1]


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": SPECIFICATION["components"]}
    return jsonschema_rs.Draft202012Validator(schema)
