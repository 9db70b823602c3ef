"""ZeroBounce: verifies e-mail addresses, one or up to a hundred at a time. The key travels in the body.

The batch is JSON, a single address a form: the vendor's client puts both into a POST, so that no address log has a key.

Quirks (zerobounce.net/docs, and the vendor's Python client): whatever goes wrong is HTTP 200. One address that cannot
be looked at is in `errors` beside the verdicts; a call that fails as a whole has one error about `"all"`, and "Invalid
API key or your account ran out of credits" is one text for both: it stops the provider until somebody has looked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.http_answers import classify_status, describe, error_body
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_EVERYBODY = "all"
_FORM = "application/x-www-form-urlencoded"


class ZeroBounce(Provider):
    """Calls to ZeroBounce's v2 API."""

    name = "zerobounce"
    title = "ZeroBounce"
    company = "ZeroBounce"
    home = "https://api.zerobounce.net"
    secrets = (Secret("api_key", "ZEROBOUNCE_API_KEY"),)
    key_word = "ZEROBOUNCE"
    billing = "credits: one for an address that is looked at, an unknown one for nothing, one that is sent twice twice"
    documentation = "https://www.zerobounce.net/docs/email-validation-api-quickstart"
    template = "verify-email-via-zerobounce"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Put the key into the body, where the API looks for it: a form's field, or a member of a JSON object.

        Raises:
            ConfigurationError: The request has neither as its body.
        """
        url = join_url(base_url, request.url)
        if any(value.startswith(_FORM) for name, value in request.headers.items() if name.lower() == "content-type"):
            form = [*parse_qsl((request.content or b"").decode(), keep_blank_values=True)]
            fields = [(name, value) for name, value in form if name != "api_key"]
            content = urlencode([*fields, ("api_key", secrets["api_key"])]).encode()
            return with_headers(replace(request, content=content), url, {"accept": "application/json"})
        try:
            body = parse_json(request.content or b"")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise ConfigurationError(
                "zerobounce: the key travels in the body, which has to be a form or a JSON object",
                code="provider.no_json_body",
            )
        content = json_bytes({**body, "api_key": secrets["api_key"]})
        keyed = replace(request, content=content)
        return with_headers(keyed, url, {"accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        if not 200 <= answer.status < 300:
            return classify_status(answer)
        said = _error_of_all(answer)
        if said is None:
            return Verdict()
        if "api key" in said.lower() or "credits" in said.lower():
            return Verdict(
                ErrorClass.AUTH, message=describe(answer.status, "the key is refused or has no credits left")
            )
        return Verdict(ErrorClass.CONTRACT, message=describe(answer.status, "ZeroBounce reports an error for all"))


def _error_of_all(answer: Answer) -> str | None:
    """What is said of the call as a whole; None: nothing."""
    if b'"errors"' not in answer.body and b'"error"' not in answer.body:
        return None
    body = error_body(answer)
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping) and error.get("email_address") == _EVERYBODY:
            return str(error.get("error") or "")
    said = body.get("error")
    return str(said) if said and "address" not in body and "email_address" not in body else None
