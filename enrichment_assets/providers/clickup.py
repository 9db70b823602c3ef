"""ClickUp: tasks in lists, with custom fields. A personal token (or one of OAuth) in `Authorization`, without `Bearer`.

Quirks (developer.clickup.com, reports of the field): errors are `{"err", "ECODE"}`. 401 is a bad token (`OAUTH_...`)
and a missing permission (`ACCESS_...`) alike. `FIELD_033`: the plan's field values are used up, and no call that writes
one goes through any more. `ITEM_013`: the task was deleted. A 429 says when it is over by `X-RateLimit-Reset` (seconds
since 1970) alone. An index, an option or a field that is not there is `FIELD_...` with 400 or 404.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.clickup.checking import checked
from enrichment_assets.domain.clickup.writing import fields_there, fields_written
from enrichment_assets.domain.http_answers import classify_status, describe, error_body, number_header
from enrichment_assets.domain.provider import (
    Answer,
    Check,
    Provider,
    RemoteField,
    RenderedRequest,
    Secret,
    Seen,
    Verdict,
    Wanted,
)
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

PLAN_IS_USED_UP = "FIELD_033"
TASK_IS_GONE = "ITEM_013"
_LONGEST_WAIT = 3_600.0
"""Seconds; the documented window is a minute, and a clock that is wrong may say anything."""


class ClickUp(Provider):
    """Calls to ClickUp's API v2."""

    name = "clickup"
    title = "ClickUp"
    company = "ClickUp"
    home = "https://api.clickup.com"
    secrets = (Secret("api_key", "CLICKUP_API_TOKEN"),)
    key_word = "CLICKUP"
    billing = "nothing for a call; the Free plan has 60 values of custom fields in all"
    documentation = "https://developer.clickup.com/reference"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the token as it is: with `Bearer` before it ClickUp takes it for one of OAuth."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"authorization": secrets["api_key"], "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        status = answer.status
        if 200 <= status < 300:
            return Verdict()
        code = code_of(answer)
        if status == 429:
            wait = _until_reset(answer)
            return Verdict(ErrorClass.RETRYABLE, message=describe(status, "too many requests"), retry_after=wait)
        if code == PLAN_IS_USED_UP:
            message = "the plan's values of custom fields are used up (FIELD_033): no field can be written any more"
            return Verdict(ErrorClass.PAYMENT, message=describe(status, message))
        if code.startswith("ACCESS_"):
            message = f"the token's owner may not do this ({code}): give them access to the list or task in ClickUp"
            return Verdict(ErrorClass.AUTH, message=describe(status, message))
        if code.startswith("OAUTH_"):
            return Verdict(ErrorClass.AUTH, message=describe(status, f"the token was refused ({code})"))
        if code == TASK_IS_GONE:
            return Verdict(not_found=True, message=describe(status, "the task was deleted (ITEM_013)"))
        if code and 400 <= status < 500:
            kind = ErrorClass.INVALID_INPUT if status != 404 or code.startswith("FIELD_") else ErrorClass.CONTRACT
            return Verdict(kind, message=describe(status, f"ClickUp refused it ({code})"))
        return classify_status(answer)

    def remote_fields(self, fields: Mapping[str, Any], seen: Seen) -> dict[str, RemoteField]:
        """Custom fields by id and options by theirs, as the task or its list has them."""
        return fields_written(fields, seen)

    def current_fields(self, found: Any, written: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a task says now, in the words of the lead."""
        return fields_there(found, written)

    def check(self, wanted: Wanted) -> Check:
        """Places, fields, options, people and plan that are missing or archived, and rights."""
        return checked(wanted)


def code_of(answer: Answer) -> str:
    """ClickUp's code of an error, as `FIELD_033`; empty where it says none."""
    code = error_body(answer).get("ECODE")
    return code if isinstance(code, str) and len(code) <= 40 else ""


def _until_reset(answer: Answer) -> float | None:
    reset = number_header(answer, "x-ratelimit-reset")
    return None if reset is None else min(max(float(reset) - time.time(), 1.0), _LONGEST_WAIT)
