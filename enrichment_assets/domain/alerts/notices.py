"""What a channel is told: a notice, the lines of several together, and what became of sending it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enrichment_assets.domain.alerts.kinds import KINDS, Action, Kind, Severity

LONGEST_SUMMARY = 500


class ChannelKind(StrEnum):
    """How a channel is spoken to; stored in `alert_channels`."""

    SLACK = "slack"
    TEAMS = "teams"
    DISCORD = "discord"
    PAGERDUTY = "pagerduty"
    WEBHOOK = "webhook"
    EMAIL = "email"
    APPRISE = "apprise"

    @property
    def at_once(self) -> int:
        """How many notices one message tells: many where people read, one where a program does."""
        return 1 if self.knows_repeats else 20

    @property
    def knows_repeats(self) -> bool:
        """Whether the same notice, sent twice, is one there: by PagerDuty's `dedup_key`, by a webhook's id."""
        return self in (ChannelKind.PAGERDUTY, ChannelKind.WEBHOOK)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say.

    Attributes:
        key: Of its incident: the same in every attempt, and in no other installation.
        action: It began, or it is over.
        kind: What was watched.
        client: Whom it concerns; None: no single client.
        summary: A sentence, without a full stop.
        opened_at: When the incident was opened.
    """

    key: str
    action: Action
    kind: Kind
    client: str | None
    summary: str
    opened_at: datetime

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return KINDS[self.kind].severity

    @property
    def line(self) -> str:
        """What a person reads."""
        mark = "Resolved" if self.action is Action.RESOLVE else self.severity.value.capitalize()
        return f"{mark}: {self.summary}"


def title_of(notices: Sequence[Notice]) -> str:
    """One line over several notices: the only one's own, else how many there are."""
    if len(notices) == 1:
        return notices[0].line
    over = sum(notice.action is Action.RESOLVE for notice in notices)
    begun = len(notices) - over
    told = [f"{begun} alert{'' if begun == 1 else 's'}"] if begun else []
    return ", ".join([*told, f"{over} resolved"] if over else told)


def text_of(notices: Sequence[Notice], longest: int) -> str:
    """One line each, cut to a channel's length; what does not fit is counted."""
    lines = [notice.line for notice in notices]
    if len("\n".join(lines)) <= longest:
        return "\n".join(lines)
    kept: list[str] = []
    for line in lines:
        if len("\n".join([*kept, line])) > longest - 40:
            break
        kept.append(line)
    if not kept:
        return f"{lines[0][: longest - 1]}…"
    return "\n".join([*kept, f"and {len(lines) - len(kept)} more"])


class Fate(StrEnum):
    """What became of a message."""

    SENT = "sent"
    REFUSED = "refused"
    """The channel will never take it: a wrong address, an archived channel."""
    LATER = "later"
    """It was not taken, and may be another time."""
    UNSURE = "unsure"
    """It left, and no answer came: it may have been posted."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a channel answered.

    Attributes:
        fate: What became of the message.
        text: In words, with nothing of the channel's address in them.
        retry_after: Seconds that the channel asked for.
    """

    fate: Fate
    text: str
    retry_after: float | None = None
