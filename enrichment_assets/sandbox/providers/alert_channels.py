"""Where alerts go: Slack, Teams and Discord webhooks, PagerDuty's Events API, and a plain webhook. Nothing is billed.

What arrived is kept: `GET /_sandbox/messages`. The last part of an address chooses an answer that a real channel gives:
`no_service` or `channel_is_archived` at Slack, `gone` at Teams and at Discord.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from enrichment_assets.sandbox.exchange import FREE, TEXT, Call, Question, Refusal, Reply, json_reply, text_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path

KEPT = 1_000
_SLACK_REFUSALS = {
    "no_service": 404,
    "no_team": 404,
    "channel_not_found": 404,
    "channel_is_archived": 410,
    "action_prohibited": 403,
    "invalid_token": 403,
}
_SEVERITIES = {"critical", "error", "warning", "info"}
_LONGEST_DISCORD, _LONGEST_SUMMARY, _LONGEST_KEY = 2_000, 1_024, 255


class AlertChannel(SimulatedProvider):
    """What all channels share: `POST`, and messages that are kept in the order in which they came."""

    price = FREE
    needs_key = False

    def __init__(self) -> None:
        self.messages: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def key(self, call: Call) -> str:
        """The address itself is the secret."""
        return call.path

    def question(self, call: Call) -> Question:
        """One message; asked again, it is another one."""
        if call.method != "POST":
            raise no_such_path(call)
        return Question("message", call.body.decode("utf-8", "replace"), lambda: self.take(call, call.json()))

    def take(self, call: Call, message: dict[str, Any]) -> Reply:
        """Keep a message and answer it; raises `Refusal` for one that the channel does not take."""
        raise NotImplementedError

    def keep(self, call: Call, message: dict[str, Any]) -> None:
        """Post it."""
        self.messages.append({"path": call.path, "message": message})


class Slack(AlertChannel):
    """`/slack/services/T/B/X`: plain text `ok`, or an error's code as plain text."""

    name = "slack"

    def take(self, call: Call, message: dict[str, Any]) -> Reply:
        """An incoming webhook's answer."""
        code = call.path.rsplit("/", 1)[-1]
        if code in _SLACK_REFUSALS:
            raise Refusal(text_reply(_SLACK_REFUSALS[code], code))
        if not message:
            raise Refusal(text_reply(400, "invalid_payload"))
        if not message.get("text") and not message.get("blocks"):
            raise Refusal(text_reply(400, "no_text"))
        self.keep(call, message)
        return Reply(200, b"ok", content_type="text/html")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """One message a second."""
        return text_reply(429, "rate_limited", headers={"retry-after": str(max(1, int(retry_after)))})


class Teams(AlertChannel):
    """`/teams/workflows/{id}/triggers/manual/paths/invoke`: 202 and no body, whatever the flow makes of the card."""

    name = "teams"

    def take(self, call: Call, message: dict[str, Any]) -> Reply:
        """A Workflows webhook takes an Adaptive Card in a message."""
        if call.path.endswith("/gone"):
            error = {"code": "WorkflowTriggerNotFound", "message": "The workflow trigger could not be found."}
            raise Refusal(json_reply(404, {"error": error}))
        cards = message.get("attachments")
        kind = "application/vnd.microsoft.card.adaptive"
        if (
            message.get("type") == "message"
            and isinstance(cards, list)
            and all(isinstance(card, dict) and card.get("contentType") == kind for card in cards)
        ):
            self.keep(call, message)  # anything else is taken too, and its flow fails where nobody sees it
        return Reply(202, b"", content_type=TEXT)


class Discord(AlertChannel):
    """`/discord/api/webhooks/{id}/{token}`: 204 unsaved, or with `?wait=true` 200 and the message."""

    name = "discord"

    def take(self, call: Call, message: dict[str, Any]) -> Reply:
        """At most 2,000 characters; without `wait` a message that was not saved is no error."""
        if call.path.endswith("/gone"):
            raise Refusal(json_reply(404, {"message": "Unknown Webhook", "code": 10015}))
        content = str(message.get("content") or "")
        if not content and not message.get("embeds"):
            raise Refusal(json_reply(400, {"message": "Cannot send an empty message", "code": 50006}))
        if len(content) > _LONGEST_DISCORD:
            wrong = {"content": ["Must be 2000 or fewer in length."]}
            raise Refusal(json_reply(400, wrong))
        self.keep(call, message)
        if call.query.get("wait") == "true":
            return json_reply(200, {"id": str(len(self.messages)), "type": 0, "content": content})
        return Reply(204, b"")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """`retry_after` in seconds with decimals, in the body; the header is whole."""
        body = {"message": "You are being rate limited.", "retry_after": retry_after / 2, "global": False}
        return json_reply(429, body, headers={"retry-after": "1", "x-ratelimit-scope": "user"})


class PagerDuty(AlertChannel):
    """`/pagerduty/v2/enqueue`: one incident per `dedup_key` while it is open, however often it is triggered."""

    name = "pagerduty"

    def __init__(self) -> None:
        super().__init__()
        self.incidents: dict[str, dict[str, Any]] = {}

    def key(self, call: Call) -> str:
        """The routing key of an integration, in the body."""
        return str(call.json().get("routing_key") or "")

    def take(self, call: Call, message: dict[str, Any]) -> Reply:
        """202 with the key, or 400 with what is wrong."""
        if call.path != "/v2/enqueue":
            raise no_such_path(call)
        wrong = _wrong_event(message)
        if wrong:
            body = {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
            raise Refusal(json_reply(400, body))
        self.keep(call, message)
        key = str(message.get("dedup_key") or f"made-{len(self.messages)}")
        if message["event_action"] == "trigger":
            known = self.incidents.get(key)
            if known is None or known["status"] == "resolved":
                self.incidents[key] = {"status": "triggered", "incidents": 1 + (known["incidents"] if known else 0)}
        elif key in self.incidents:
            self.incidents[key]["status"] = f"{message['event_action'].removesuffix('e')}ed"
        return json_reply(202, {"status": "success", "message": "Event processed", "dedup_key": key})


def _wrong_event(event: dict[str, Any]) -> list[str]:
    wrong = [] if len(str(event.get("routing_key") or "")) == 32 else ["Invalid routing key"]
    action = event.get("event_action")
    if action not in {"trigger", "acknowledge", "resolve"}:
        wrong.append("'event_action' must be one of: trigger, acknowledge, resolve")
    if len(str(event.get("dedup_key") or "")) > _LONGEST_KEY:
        wrong.append("Length of 'dedup_key' is incorrect (should be at most 255)")
    if action == "trigger":
        payload = event.get("payload")
        told: dict[str, Any] = payload if isinstance(payload, dict) else {}
        wrong += [f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not told.get(name)]
        if told.get("severity") not in _SEVERITIES:
            wrong.append("'payload.severity' must be one of: critical, error, warning, info")
        if len(str(told.get("summary") or "")) > _LONGEST_SUMMARY:
            wrong.append("Length of 'payload.summary' is incorrect (should be at most 1024)")
    elif not event.get("dedup_key"):
        wrong.append("'dedup_key' is missing or blank")
    return wrong
