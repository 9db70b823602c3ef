"""Clay: a row posted to a table's own webhook; the table answers later through a column that posts to our callback URL.

There is no common address: every table has its own, and it is the client's (`parameters.table_url`). A webhook takes
50,000 rows in its life. The header `x-clay-webhook-auth` is needed only where the table asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import ConfigurableResource

from enrichment_assets.domain.http_answers import classify_status, describe, error_body, join_url, with_headers
from enrichment_assets.domain.provider import Answer, RenderedRequest, Verdict
from enrichment_assets.domain.statuses import ErrorClass


class ClayResource(ConfigurableResource[Any]):
    """Rows sent to Clay tables."""

    base_url: str = ""

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the table's authentication token where there is one."""
        token = secrets.get("webhook_auth")
        url = join_url(base_url, request.url, anywhere=True)
        return with_headers(request, url, {"x-clay-webhook-auth": token} if token else {})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what Clay's acknowledgement means: 2xx is accepted, a full table is `quota`."""
        if answer.status in (400, 403, 409, 422) and "limit" in str(error_body(answer).get("message", "")).lower():
            return Verdict(ErrorClass.QUOTA, message=describe(answer.status, "the table takes no more rows"))
        return classify_status(answer)
