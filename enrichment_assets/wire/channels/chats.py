"""Slack, Teams and Discord: incoming webhooks that people read. None of them knows a message that is sent twice.

Contracts: api.slack.com/messaging/webhooks, learn.microsoft.com (Workflows webhooks), discord.com/developers/docs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from enrichment_assets.domain.alerts.notices import Fate, Notice, Said, text_of, title_of
from enrichment_assets.wire.channels.posting import Answer, Target, by_status, post

_SLACK_LONGEST = 3_000
_DISCORD_LONGEST = 2_000
_TEAMS_LONGEST = 20_000
"""A whole message has at most 28 KB."""

_FOR_THE_CHANNEL = {
    "no_service": "there is no such webhook (no_service)",
    "channel_is_archived": "the channel is archived (channel_is_archived)",
    "action_prohibited": "an administrator forbids it (action_prohibited)",
}


def send_slack(target: Target, notices: Sequence[Notice]) -> Said:
    """Slack answers `ok` as text, or a code as text with 4xx; what stands in front of it may answer 200 with a page."""
    text = text_of(notices, _SLACK_LONGEST).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    answer = post(target, {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False})
    return answer if isinstance(answer, Said) else _read_slack(answer)


def _read_slack(answer: Answer) -> Said:
    told = answer.json()
    if answer.status == 200 and told.get("ok") is False:
        return Said(Fate.REFUSED, f"200, and not ok: {str(told.get('error'))[:100]}")
    if answer.status == 200 and told.get("ok") is not True and answer.text.strip() != "ok":
        return Said(Fate.REFUSED, "200, and not ok: that is no webhook of Slack's")
    return by_status(answer, _FOR_THE_CHANNEL.get(answer.text.strip(), ""))


def send_teams(target: Target, notices: Sequence[Notice]) -> Said:
    """A Workflows webhook takes an Adaptive Card; 202 says that the flow began, not that it posted."""
    answer = post(target, {"type": "message", "attachments": [_card(notices)]})
    if isinstance(answer, Said):
        return answer
    if answer.status == 200 and "HTTP error" in answer.text:  # old connectors fail inside 200
        return Said(Fate.LATER, f"200, and failed: {' '.join(answer.text.split())[:150]}")
    said = by_status(answer)
    taken = answer.status == 202
    return Said(Fate.SENT, "202: the flow has begun; Teams does not say whether it posted") if taken else said


def _card(notices: Sequence[Notice]) -> dict[str, Any]:
    body = [{"type": "TextBlock", "text": title_of(notices), "weight": "bolder", "wrap": True}]
    if len(notices) > 1:
        lines = text_of(notices, _TEAMS_LONGEST).split("\n")
        body += [{"type": "TextBlock", "text": line, "wrap": True} for line in lines]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    return {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}


def send_discord(target: Target, notices: Sequence[Notice]) -> Said:
    """`wait=true`: without it Discord answers 204 for a message that it did not save. Nobody is mentioned by a name."""
    body = {"content": text_of(notices, _DISCORD_LONGEST), "allowed_mentions": {"parse": []}}
    answer = post(target.with_query("wait", "true"), body)
    if isinstance(answer, Said):
        return answer
    told = answer.json()
    asked = told.get("retry_after")
    words = str(told.get("message") or "")[:100]
    if answer.status == 200:
        return Said(Fate.SENT, "200: saved")
    return by_status(answer, words, float(asked) if isinstance(asked, int | float) else None)
