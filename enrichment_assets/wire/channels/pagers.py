"""Channels that programs read and that know a repeat: PagerDuty's Events API v2, and a webhook of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.alerts.kinds import Action
from enrichment_assets.domain.alerts.notices import Notice, Said
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.wire.channels.posting import Target, by_status, post

SOURCE = "enrichment-assets"
_LONGEST_SUMMARY = 1_024
_KEY_LENGTH = 32
_EVENTS = {"": "https://events.pagerduty.com/v2/enqueue", "eu": "https://events.eu.pagerduty.com/v2/enqueue"}


def read_routing_key(value: str, variable: str) -> tuple[Target, str]:
    """Where an integration is, and its key: `KEY`, in the European region `eu:KEY`.

    Raises:
        ConfigurationError: It is no such key; names the variable only.
    """
    region, _, key = value.strip().rpartition(":")
    if region not in _EVENTS or len(key) != _KEY_LENGTH or not key.isalnum():
        raise ConfigurationError(
            f"{variable} holds no routing key of PagerDuty's: it has 32 characters, with `eu:` before it in Europe",
            code="alert.routing_key",
        )
    return Target(_EVENTS[region]), key


def send_pagerduty(target: Target, routing_key: str, notice: Notice) -> Said:
    """One incident per key, however often it is triggered; a resolve names the key alone."""
    event: dict[str, Any] = {"routing_key": routing_key, "event_action": notice.action.value, "dedup_key": notice.key}
    if notice.action is Action.TRIGGER:
        event |= {
            "payload": {
                "summary": notice.summary[:_LONGEST_SUMMARY],
                "source": SOURCE,
                "severity": notice.severity.value,
                "timestamp": notice.opened_at.astimezone(UTC).isoformat(),
                "class": notice.kind.value,
                **({"group": notice.client} if notice.client else {}),
            }
        }
    answer = post(target, event)
    if isinstance(answer, Said):
        return answer
    told = answer.json()
    errors = told.get("errors")
    wrong = "; ".join(str(one) for one in errors) if isinstance(errors, list) else ""
    return by_status(answer, wrong or str(told.get("message") or ""))


def send_webhook(target: Target, notice: Notice) -> Said:
    """One notice as JSON, with an id that is the same in every attempt (Standard Webhooks' header)."""
    body = {
        "type": f"alert.{notice.action.value}",
        "incident": notice.key,
        "kind": notice.kind.value,
        "severity": notice.severity.value,
        "client": notice.client,
        "summary": notice.summary,
        "opened_at": notice.opened_at.astimezone(UTC).isoformat(),
    }
    now = str(int(datetime.now(UTC).timestamp()))
    headers = {"webhook-id": f"{notice.key}.{notice.action.value}", "webhook-timestamp": now}
    answer = post(target, body, headers)
    return answer if isinstance(answer, Said) else by_status(answer)
