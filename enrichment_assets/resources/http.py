"""Any HTTP API, described by a workflow alone: absolute address, secrets named in header templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dagster import ConfigurableResource

from enrichment_assets.domain.provider import Answer, RenderedRequest, Verdict
from enrichment_assets.resources.classify import classify_status, join_url


class HttpResource(ConfigurableResource[Any]):
    """Calls to an address that the workflow gives itself."""

    base_url: str = ""

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Nothing to add: the request's headers name their secrets themselves."""
        return replace(request, url=join_url(base_url, request.url, anywhere=True))

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean: a 404 is a wrong address, unless the workflow's `not_found_status` names it."""
        return classify_status(answer)
