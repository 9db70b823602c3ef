"""Any HTTP API, described by a workflow alone: absolute address, secrets named in header templates.

A template's `{{secrets.purpose}}` is filled in here, from values that were never in the database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dagster import ConfigurableResource

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.provider import Answer, RenderedRequest, Verdict
from enrichment_assets.resources.classify import classify_status, describe, join_url

_PLACEHOLDER = re.compile(r"\{\{secrets\.([A-Za-z0-9_]+)\}\}")
_LINE = re.compile(r"[\x20-\x7e\t]*")


def fill_secrets(headers: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """Header values with every `{{secrets.purpose}}` replaced.

    Raises:
        ConfigurationError: A purpose has no secret, or its value cannot stand in a header; names the purpose only.
    """

    def value_of(match: re.Match[str]) -> str:
        purpose = match.group(1)
        value = secrets.get(purpose)
        if not value:
            raise ConfigurationError(f"a header uses {{{{secrets.{purpose}}}}}, but the workflow names no such secret")
        if not _LINE.fullmatch(value):
            raise ConfigurationError(f"the secret {purpose!r} cannot stand in a header: it has to be one line of ASCII")
        return value

    return {name: _PLACEHOLDER.sub(value_of, text) if "{{secrets." in text else text for name, text in headers.items()}


class HttpResource(ConfigurableResource[Any]):
    """Calls to an address that the workflow gives itself."""

    base_url: str = ""

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Fill the secrets into the headers that name them."""
        url = join_url(base_url, request.url, anywhere=True)
        return replace(request, url=url, headers=fill_secrets(request.headers, secrets))

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean; a 404 with a JSON body is a miss, with any other body a wrong address."""
        if answer.status == 404 and "json" in answer.headers.get("content-type", "").lower():
            return Verdict(not_found=True, message=describe(404, "the API knows nothing"))
        return classify_status(answer)
