"""The shapes of HubSpot's answers: a record, an error of one input, an error of the whole call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from enrichment_assets.sandbox.crm.portal import Conflict, InvalidValue, Record
from enrichment_assets.sandbox.exchange import Reply, json_reply


def shown(record: Record, names: Sequence[str] | None = None) -> dict[str, Any]:
    """A record. Without names: all that it has; with names: these, null where it has none."""
    own = ("createdate", "hs_object_id", "lastmodifieddate")
    properties = record.properties if not names else {name: record.properties.get(name) for name in (*names, *own)}
    return {
        "id": record.id,
        "properties": dict(properties),
        "createdAt": record.created,
        "updatedAt": record.updated,
        "archived": False,
    }


def wrong_input(wrong: Exception) -> dict[str, Any]:
    """What was wrong with one input, as HubSpot tells it."""
    if isinstance(wrong, Conflict):
        return told("CONFLICT", str(wrong)) | {"context": {"id": [wrong.id], "propertyName": [wrong.name]}}
    if isinstance(wrong, InvalidValue):
        detail = {"message": wrong.message, "code": wrong.code, "context": {"propertyName": [wrong.name]}}
        told_so = {"isValid": False, "message": wrong.message, "error": wrong.code, "name": wrong.name}
        message = f"Property values were not valid: [{orjson.dumps(told_so).decode()}]"
        return told("VALIDATION_ERROR", message) | {"errors": [detail]}
    return told("OBJECT_NOT_FOUND", f"Could not find object {wrong.args[0]}") | {"context": {"ids": [wrong.args[0]]}}


def spec(kind: str) -> dict[str, Any]:
    """What the default association from such a record is."""
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279 if kind == "contacts" else 280}


def told(category: str, message: str) -> dict[str, Any]:
    """An error's body."""
    return {
        "status": "error",
        "message": message,
        "correlationId": "00000000-0000-0000-0000-000000000000",
        "category": category,
    }


def error(status: int, category: str, message: str) -> Reply:
    """An error that is the whole answer."""
    return json_reply(status, told(category, message))


def limit(policy: str, message: str) -> Reply:
    """A 429; `policy` says of which limit."""
    body = told("RATE_LIMITS", message) | {"errorType": "RATE_LIMIT", "policyName": policy}
    return json_reply(429, body)


def missing_scope(scope: str) -> Reply:
    """403: the private app was not given what this route needs."""
    detail = {"message": "One or more of the following scopes are required.", "context": {"requiredScopes": [scope]}}
    body = told("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.")
    return json_reply(403, {**body, "errors": [detail]})
