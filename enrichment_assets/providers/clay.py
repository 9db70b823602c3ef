"""Clay: a row posted to a table's own webhook; the table answers later through a column that posts to our callback URL.

There is no common address: every table has its own, and it is the client's (`parameters.table_url`). A webhook takes
50,000 rows in its life. The header `x-clay-webhook-auth` is needed only where the table asks for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body
from enrichment_assets.domain.provider import Ability, Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass


class Clay(Provider):
    """Rows sent to Clay tables."""

    name = "clay"
    title = "Clay"
    company = "Clay"
    own_address = True
    secrets = (Secret("webhook_auth", "CLAY_WEBHOOK_AUTH", optional=True),)
    key_word = "CLAY"
    abilities = frozenset({Ability.CALLBACK})
    billing = "credits of the client's workspace, for the columns that the table runs for a row"
    documentation = "https://university.clay.com/docs/http-api-integration-overview"
    template = "enrich-company-clay"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the table's authentication token where there is one."""
        token = secrets.get("webhook_auth")
        url = join_url(base_url, request.url, anywhere=self.own_address)
        return with_headers(request, url, {"x-clay-webhook-auth": token} if token else {})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what Clay's acknowledgement means: 2xx is accepted, a full table is `quota`."""
        if answer.status in (400, 403, 409, 422) and "limit" in str(error_body(answer).get("message", "")).lower():
            return Verdict(ErrorClass.QUOTA, message=describe(answer.status, "the table takes no more rows"))
        return classify_status(answer)

    def simulated_path(self, url: str, *, is_poll: bool) -> str:
        """A table of the simulator. The path of a real table is its key: it does not go to the simulator's log."""
        return f"/tables/{hashlib.sha256(url.encode()).hexdigest()[:12]}/webhook"
