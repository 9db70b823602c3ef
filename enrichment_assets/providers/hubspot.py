"""HubSpot: contacts (and companies) of a CRM, found by a property of ours. Token of a private app as a bearer.

Quirks (developers.hubspot.com, and the vendor's Python client): a batch of which some inputs failed is a 207 with
`errors`, and says so of each input only where each has an `objectWriteTraceId`; without it one bad input fails all.
An address can be one contact's alone, and an account has contacts before we come: a batch first asks who is there.
By e-mail a batch is never partial, and no upsert by a property that is not unique is: a key of ours stands in one that
is. Addresses come back in small letters, results in another order than the inputs. 429 is of ten seconds or of the
day, and only `policyName` tells them apart. A 403 names the scope that the app lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from enrichment_assets.domain.crm.hubspot import field_faults, key_faults, property_value
from enrichment_assets.domain.crm.hubspot_batches import addresses, asked_for, parted
from enrichment_assets.domain.crm.values import fitting
from enrichment_assets.domain.http_answers import classify_status, describe, error_body, object_of
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import (
    Answer,
    Check,
    Conversation,
    Provider,
    RemoteField,
    RenderedRequest,
    Secret,
    Verdict,
    Wanted,
)
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_WINDOW = 10.0
"""Seconds of the rolling limit, where no header says it."""

_LONGEST_SAID = 400
_JSON = {"content-type": "application/json"}
_UPSERT, _CHANGE, _READ = "/batch/upsert", "/batch/update", "/batch/read"


class HubSpot(Provider):
    """Calls to HubSpot's CRM API."""

    name = "hubspot"
    title = "HubSpot"
    company = "HubSpot"
    home = "https://api.hubapi.com"
    secrets = (Secret("token", "HUBSPOT_TOKEN"),)
    key_word = "HUBSPOT"
    billing = "nothing for a call: an account has so many in ten seconds and a day"
    documentation = "https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the private app's token as a bearer."""
        url = join_url(base_url, request.url)
        headers = {"authorization": f"Bearer {secrets['token']}", "accept": "application/json"}
        return with_headers(request, url, headers)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means, of a whole call or of one input of it; see the module's quirks."""
        status = answer.status
        if 200 <= status < 300:
            return Verdict()
        told = error_body(answer)
        category = str(told.get("category") or "")
        if status == 429 or category == "RATE_LIMITS":
            return _limited(answer, told)
        if category == "OBJECT_NOT_FOUND":
            return Verdict(not_found=True, message=describe(status, "HubSpot has no such record (any more)"))
        if status == 403:
            return Verdict(ErrorClass.AUTH, message=describe(403, f"the private app lacks a scope{_scopes(told)}"))
        if category == "CONFLICT":
            message = f"another record has what only one may have ({_of(told)}): merge the two in HubSpot"
            return Verdict(ErrorClass.INVALID_INPUT, message=describe(status, message))
        if category == "VALIDATION_ERROR":
            return Verdict(ErrorClass.INVALID_INPUT, message=describe(status, f"HubSpot refused it: {_said(told)}"))
        return classify_status(answer)

    def remote_field(self, name: str, value: Any, lookups: Mapping[str, Any]) -> RemoteField:
        """A value in the form of its property, where the lookup `properties` says what there is."""
        properties = lookups.get("properties")
        return RemoteField(value if properties is None else fitting(property_value, name, value, properties), name)

    def conversation(self, request: RenderedRequest, secrets: Mapping[str, str]) -> Conversation | None:
        """A batch that is upserted looks first who of it is there by address: `domain.crm.hubspot_batches`."""
        return _upserted(request) if request.url.endswith(_UPSERT) else None

    def check(self, wanted: Wanted) -> Check:
        """Properties that are not there or may not be written, the key's property, and the right to write."""
        return _checked(wanted)


def _upserted(request: RenderedRequest) -> Conversation:
    body = parse_json(request.content or b"{}")
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list):
        return (yield request)
    asked = addresses(inputs)
    if not asked:
        return (yield _posted(request, _UPSERT, {"inputs": parted(inputs, ()).upserted}))
    question = {"idProperty": "email", "properties": asked_for(inputs), "inputs": [{"id": one} for one in asked]}
    read = yield _posted(request, _READ, question)
    if not 200 <= read.status < 300:
        return read
    parts = parted(inputs, object_of(read).get("results") or [])
    results: list[Any] = []
    errors: list[Any] = list(parts.refused)
    for path, some in ((_CHANGE, parts.changed), (_UPSERT, parts.upserted)):
        if not some:
            continue
        answer = yield _posted(request, path, {"inputs": some})
        if not 200 <= answer.status < 300:
            return answer
        told = object_of(answer)
        results += told.get("results") or []
        errors += told.get("errors") or []
    more = {"numErrors": len(errors), "errors": errors} if errors else {}
    status = 207 if errors else 200
    return Answer(status, _JSON, json_bytes({"status": "COMPLETE", "results": results, **more}))


def _posted(request: RenderedRequest, path: str, body: Mapping[str, Any]) -> RenderedRequest:
    """Another request about the same kind of record."""
    url = f"{request.url.removesuffix(_UPSERT)}{path}"
    return replace(request, url=url, content=json_bytes(body))


def _checked(wanted: Wanted) -> Check:
    listed = yield RenderedRequest("GET", "/crm/properties/2026-03/contacts")
    properties = object_of(listed).get("results") or []
    faults = key_faults(str(wanted.parameters.get("key_property") or ""), properties)
    faults += field_faults(wanted.fields, properties)
    # An empty batch is refused for being empty, after the scope was looked at.
    yield RenderedRequest("POST", "/crm/objects/2026-03/contacts/batch/upsert", _JSON, content=b'{"inputs":[]}')
    return faults


def _limited(answer: Answer, told: Mapping[str, Any]) -> Verdict:
    if told.get("policyName") == "DAILY":
        return Verdict(ErrorClass.QUOTA, message=describe(429, "the account's calls of the day are used up"))
    try:
        wait = float(answer.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")) / 1000
    except ValueError:
        wait = _WINDOW
    message = describe(429, "too many calls in ten seconds")
    return Verdict(ErrorClass.RETRYABLE, message=message, retry_after=min(max(wait, 1.0), 60.0))


def _scopes(told: Mapping[str, Any]) -> str:
    """The scopes that are missing, as a part of a sentence."""
    found: list[str] = []
    for one in _errors(told):
        context = one.get("context")
        for scopes in context.values() if isinstance(context, Mapping) else ():
            found += [str(scope) for scope in scopes] if isinstance(scopes, list) else []
    return f": {', '.join(dict.fromkeys(found))}" if found else ""


def _of(told: Mapping[str, Any]) -> str:
    """The record that has it already, by HubSpot's own words or its `context`."""
    context = told.get("context")
    ids = context.get("id") if isinstance(context, Mapping) else None
    return f"record {ids[0]}" if isinstance(ids, list) and ids else _said(told)


def _said(told: Mapping[str, Any]) -> str:
    """HubSpot's own sentence: of the first property that is wrong, where it says which."""
    first = next(iter(_errors(told)), {})
    return str(first.get("message") or told.get("message") or "no reason given")[:_LONGEST_SAID]


def _errors(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = told.get("errors")
    return [one for one in errors if isinstance(one, Mapping)] if isinstance(errors, list) else []
