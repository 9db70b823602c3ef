"""Finds a key that was written into a workflow where the name of a variable belongs.

A workflow is stored in the database, in blueprints and in logs of changes: a key in it is a key told to many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from enrichment_assets.domain.reads import delivered_texts, requests_of, spelt
from enrichment_assets.domain.workflow import WorkflowDefinition

SECRET_NAME = re.compile(
    r"(?:^|\.)key$|(?:^|[._-])(?:(?:api|access|private|secret|auth|client|subscription|licen[cs]e)[_-]?key|token|password"
    r"|passwd|pwd|secret|authorization|auth|bearer|cookie|credentials?)$",
    re.IGNORECASE,
)
"""The last part of a dotted path, header or parameter whose value is a key."""

_KEYLIKE = re.compile(
    r"(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abpr]-[A-Za-z0-9-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{30,}|pat-[a-z0-9]+-[0-9a-f-]{20,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\."
)
"""Forms that services give their keys, as their documentation shows them (OpenAI, GitHub, Slack, AWS, Google, JWT)."""

_SCHEME = re.compile(r"^\s*(?:bearer|basic|token|apikey)\s+\S", re.IGNORECASE)
_SHORTEST = 5


def literal_key(workflow: WorkflowDefinition) -> str | None:
    """Where in the workflow a key stands (`request.headers.authorization`), or None."""
    for path, value in _texts(workflow):
        name = path.rpartition(".")[2]
        if looks_like_key(name, value):
            return path
    return None


def looks_like_key(name: str, value: object) -> bool:
    """Whether a value called `name` is a key itself: by its name, its form, or as credentials inside an address."""
    if not isinstance(value, str):
        return False
    if _KEYLIKE.search(value) or _in_address(value):
        return True
    if _SCHEME.match(value) and not value.rstrip().endswith("}}"):
        return True
    return bool(SECRET_NAME.search(name)) and "{{" not in value and len(value.strip()) >= _SHORTEST


def _in_address(value: str) -> bool:
    if "://" not in value and not value.startswith("/"):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    if "@" in parts.netloc:
        return True
    query = [(name, given) for name, given in parse_qsl(parts.query) if "{{" not in given]
    return any(SECRET_NAME.search(name) and len(given) >= _SHORTEST for name, given in query)


def _texts(workflow: WorkflowDefinition) -> Iterator[tuple[str, Any]]:
    if workflow.base_url:
        yield "base_url", workflow.base_url
    yield from _walk("parameters", workflow.parameters)
    if workflow.prompt is not None:
        yield "prompt.instructions", workflow.prompt.instructions
        yield from _walk("prompt.inputs", workflow.prompt.inputs)
    for start, request in requests_of(workflow):
        place = spelt(start)
        yield f"{place}.url", request.url
        yield from _walk(f"{place}.headers", request.headers)
        yield from _walk(f"{place}.query", request.query)
        yield from _walk(f"{place}.body", request.body)
    for start, text in delivered_texts(workflow):
        yield spelt(start), text


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _walk(f"{path}.{name}", member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _walk(path, member)
    else:
        yield path, value
