"""EmailBison: outreach by e-mail, on a host of one's own.

Quirks (reports from the field): a lead is made first (`POST /api/leads`), then attached to a campaign by its id
(`POST /api/campaigns/{id}/leads/attach-leads`); 15 items a page.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers


class EmailBison(Provider):
    """Calls to an installation of EmailBison; its address stands in the workflow."""

    name = "emailbison"
    title = "EmailBison"
    company = "EmailBison"
    own_address = True
    secrets = (Secret("api_key", "EMAILBISON_API_KEY"),)
    key_word = "EMAILBISON"
    contacts = True
    billing = "nothing for a call: the plan is paid by the month"
    documentation = "https://docs.emailbison.com"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer token."""
        url = join_url(base_url, request.url, anywhere=self.own_address)
        headers = {"authorization": f"Bearer {secrets['api_key']}", "accept": "application/json"}
        return with_headers(request, url, headers)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean."""
        return classify_status(answer)
