"""A person who is asked: nothing is sent, and the answer comes through the inbox (docs/review.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status
from enrichment_assets.domain.provider import Ability, Answer, Provider, RenderedRequest, Verdict
from enrichment_assets.domain.request_parts import join_url


class Person(Provider):
    """Whoever looks at reviews. The address is one that nobody can have (RFC 6761): no request ever leaves."""

    name = "person"
    title = "A person"
    home = "https://person.invalid"
    abilities = frozenset({Ability.CALLBACK})
    billing = "nothing; a workflow's price may say what somebody's minutes cost"
    asks_people = True

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Nothing to add: nobody asks who is asking."""
        return replace(request, url=join_url(base_url, request.url))

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """A question that was put is taken; anything else can only come from a mistake of ours."""
        return classify_status(answer)
