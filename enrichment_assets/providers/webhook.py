"""Any server that takes leads by HTTP: a CRM, an automation tool or a program of the user's own.

Statuses mean what they usually do. Of a record that somebody took away a server says 404 or 410: that counts where the
delivery names them (`response.not_found_status`), for a 404 is as well what a wrong address answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status
from enrichment_assets.domain.provider import Ability, Answer, Provider, RenderedRequest, Verdict
from enrichment_assets.domain.request_parts import join_url


class Webhook(Provider):
    """Calls to an address that the delivery gives itself."""

    name = "webhook"
    title = "Any server that takes leads"
    own_address = True
    key_word = "WEBHOOK"
    abilities = frozenset(Ability)
    billing = "as the workflow's price says"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Nothing to add: the request's headers name their secrets themselves."""
        return replace(request, url=join_url(base_url, request.url, anywhere=self.own_address))

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean."""
        return classify_status(answer)
