"""Salesforce: contacts of an org of one's own, upserted by an external id. Access token as a bearer.

Quirks (reports of the field, and simple-salesforce): `composite/sobjects` answers 200 with a list, each `success` or
not, in the order of the records. Errors of a call are a list too. Calls of the day that are used up are a 403
`REQUEST_LIMIT_EXCEEDED`; a token that has run out is a 401 `INVALID_SESSION_ID`. A contact that the token's user may
not see is there for its external id all the same: `DUPLICATE_VALUE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.http_answers import classify_status, describe
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_LONGEST_SAID = 300
_AGAIN = ("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "ALL_OR_NONE_OPERATION_ROLLED_BACK")


class Salesforce(Provider):
    """Calls to an org's REST API; `base_url` is the org's own address."""

    name = "salesforce"
    title = "Salesforce"
    company = "Salesforce"
    own_address = True
    secrets = (Secret("token", "SALESFORCE_TOKEN"),)
    key_word = "SALESFORCE"
    billing = "nothing for a call: an org has so many in a day"
    documentation = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the token as a bearer."""
        url = join_url(base_url, request.url, anywhere=True)
        headers = {"authorization": f"Bearer {secrets['token']}", "accept": "application/json"}
        return with_headers(request, url, headers)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means, of a whole call or of one record of it; see the module's quirks."""
        status = answer.status
        if 200 <= status < 300:
            return Verdict()
        code, said = _told(answer)
        if code == "REQUEST_LIMIT_EXCEEDED":
            return Verdict(ErrorClass.QUOTA, message=describe(status, "the org's calls of the day are used up"))
        if code in ("ENTITY_IS_DELETED", "NOT_FOUND") and status in (400, 404):
            return Verdict(not_found=True, message=describe(status, "Salesforce has no such record (any more)"))
        if code in _AGAIN:
            return Verdict(ErrorClass.RETRYABLE, message=describe(status, f"Salesforce asks to try again ({code})"))
        if code and status == 400:
            return Verdict(ErrorClass.INVALID_INPUT, message=describe(status, f"Salesforce refused it: {code}: {said}"))
        return classify_status(answer)


def _told(answer: Answer) -> tuple[str, str]:
    """Code and sentence of the first error, of a call (`errorCode`) or of a record (`errors[].statusCode`)."""
    try:
        body: Any = answer.document[0] if answer.document else parse_json(answer.body)
    except ValueError:
        return "", ""
    if isinstance(body, Mapping):
        body = body.get("errors")
    first = body[0] if isinstance(body, list) and body and isinstance(body[0], Mapping) else {}
    code = str(first.get("errorCode") or first.get("statusCode") or "")
    return code, str(first.get("message") or "")[:_LONGEST_SAID]
