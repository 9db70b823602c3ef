"""What a program of this installation asks of its own Dagster web server (GraphQL), and says who it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

CODE_LOCATION = "enrichment_assets"
REPOSITORY = "__repository__"
"""What Dagster calls the repository of a location that defines none by name."""


def asked(
    webserver: str, signed: str, query: str, variables: Mapping[str, Any], seconds: float
) -> Mapping[str, Any] | None:
    """What it answered; None: it did not, or not as GraphQL does.

    Args:
        webserver: Base URL.
        signed: What says that a program of this installation asks (`Signing.program`).
        query: Of GraphQL.
        variables: Of the query.
        seconds: How long it is waited for.
    """
    body = json.dumps({"query": query, "variables": dict(variables)}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {signed}"}
    request = Request(f"{webserver}/graphql", body, headers)  # noqa: S310 - our own server
    try:
        # opens files of ours: no file, but the answer of our own web server
        with build_opener(ProxyHandler({})).open(request, timeout=seconds) as answer:
            found = json.load(answer)["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) else None
