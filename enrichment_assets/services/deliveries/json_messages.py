"""Messages that are JSON, for readers of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.deliveries.readers import Received, UnreadableError


def json_object(message: Received) -> dict[str, Any]:
    """A message's object. Raises `UnreadableError`."""
    document = _json(message)
    if not isinstance(document, dict):
        raise UnreadableError("the message is no JSON object", code="event.no_object")
    return document


def json_objects(message: Received) -> list[dict[str, Any]]:
    """A message's list of objects; one alone counts as a list of one. Raises `UnreadableError`."""
    document = _json(message)
    listed = document if isinstance(document, list) else [document]
    if not all(isinstance(one, dict) for one in listed):
        raise UnreadableError("the message is no list of JSON objects", code="event.no_objects")
    return listed


def no_settings(settings: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for a setting: a kind that is set up by its secret alone has none."""
    if settings:
        raise ConfigurationError(
            f"a connection of this kind has no setting {next(iter(settings))[:80]!r}", code="event_source.no_settings"
        )


def _json(message: Received) -> Any:
    try:
        return orjson.loads(message.body)
    except orjson.JSONDecodeError:
        raise UnreadableError("the message cannot be read as JSON", code="event.no_json") from None
