"""Instantly: outreach by e-mail, its campaigns, sending accounts and figures. Bearer key of API v2.

Quirks (developer.instantly.ai, and the vendor's starter kit): a key has scopes, and one that lacks the scope is told
403; the same status with a web page comes from the network in front of the API, which refuses some User-Agents
(`Python-urllib/...`) before any key is looked at. 402 is a workspace without a paid plan. 413 says that the days of a
question hold too much: ask for fewer. Of a 400 the message says which member of
the body is wrong (`body/leads/0/custom_variables/tags must be string,number,boolean,null`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body, is_web_page
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_FAULT = re.compile(r"(body|querystring)(/[\w.-]+)* must [\w .,'-]+")
"""What its validation says of a request: the place in it and what it must be, and no value."""

_MOST = 200


class Instantly(Provider):
    """Calls to Instantly's API v2."""

    name = "instantly"
    title = "Instantly"
    company = "Instantly"
    home = "https://api.instantly.ai"
    secrets = (Secret("api_key", "INSTANTLY_API_KEY"),)
    key_word = "INSTANTLY"
    contacts = True
    billing = "nothing for a call: the plan is paid by the month, and API v2 is a part of some plans only"
    documentation = "https://developer.instantly.ai/api/v2"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer token."""
        url = join_url(base_url, request.url)
        headers = {"authorization": f"Bearer {secrets['api_key']}", "accept": "application/json"}
        return with_headers(request, url, headers)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        status = answer.status
        if status == 403 and is_web_page(answer):
            message = describe(status, "the network before the API refuses this program; the key was not looked at")
            return Verdict(ErrorClass.CONTRACT, message=message)
        if status == 403:
            return Verdict(ErrorClass.AUTH, message=describe(status, "the key lacks the scope for this"))
        if status == 402:
            return Verdict(ErrorClass.PAYMENT, message=describe(status, "the workspace has no paid plan with the API"))
        if status == 400 and (fault := _FAULT.match(str(error_body(answer).get("message") or ""))):
            return Verdict(ErrorClass.INVALID_INPUT, message=describe(status, fault.group()[:_MOST]))
        return classify_status(answer)
