"""Setting alert rules, and asking what stands: the services behind `enrich alert`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.alerts.kinds import KINDS, SHIPPED, Action, Kind, Shipped
from enrichment_assets.domain.alerts.notices import Fate, Notice, Said
from enrichment_assets.domain.alerts.quiet import QuietHours
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.settings import Settings
from enrichment_assets.store.alerts import incidents, rules
from enrichment_assets.store.alerts.incidents import Incident
from enrichment_assets.store.alerts.rules import Channel, Rule
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.wire.channels import Address, opened_channel


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule that somebody wants: what to watch, of whom, from which number on, where to tell it, and when not."""

    kind: Kind
    threshold: Decimal | None
    channel: Address
    client: str | None = None
    quiet: QuietHours | None = None


def add(hq: Hq, wanted: Sequence[Wanted], *, actor: Actor) -> list[Rule]:
    """Add rules, in one transaction; those that exist already are left out.

    Returns:
        The rules that are new.

    Raises:
        NotFoundError: There is no such client.
        ConfigurationError: One rule was wanted, and there is one like it.
    """
    with hq.transaction() as connection:
        made = [number for one in wanted if (number := _added(connection, one, actor)) is not None]
        if len(wanted) == 1 and not made:
            raise ConfigurationError(
                f"there is a rule already that tells {wanted[0].kind} to {wanted[0].channel}", code="alert.exists"
            )
        return [rule for rule in rules.list_rules(connection) if rule.id in set(made)]


def _added(connection: Connection, wanted: Wanted, actor: Actor) -> int | None:
    client_id = None if wanted.client is None else client_row(connection, wanted.client)["id"]
    channel = rules.add_channel(connection, wanted.channel.kind, wanted.channel.variable)
    number = rules.add_rule(connection, wanted.kind, client_id, wanted.threshold, channel, wanted.quiet)
    if number is not None:
        said = {
            "kind": wanted.kind.value,
            "threshold": wanted.threshold,
            "channel": str(wanted.channel),
            "quiet": None if wanted.quiet is None else str(wanted.quiet),
        }
        note_action(connection, actor, Code.ALERT_ADD, number, client_id=client_id, after=said)
    return number


def shipped(channel: Address, client: str | None, quiet: QuietHours | None) -> list[Wanted]:
    """The set that comes with the platform, told to a channel."""
    return [Wanted(one.kind, one.threshold, channel, client, quiet) for one in SHIPPED]


def list_rules(hq: Hq) -> tuple[list[Rule], list[Shipped]]:
    """The rules in force, and those of the shipped set that no rule watches: they are off."""
    with hq.transaction() as connection:
        found = rules.list_rules(connection)
    watched = {(rule.kind, rule.threshold) for rule in found}
    return found, [one for one in SHIPPED if (one.kind, one.threshold) not in watched]


def remove(hq: Hq, number: int, *, actor: Actor) -> Rule:
    """End a rule. What is open of it is over with the next round, and told so.

    Raises `NotFoundError` for a number that no rule has.
    """
    with hq.transaction() as connection:
        found = {rule.id: rule for rule in rules.list_rules(connection)}
        if number not in found or not rules.remove_rule(connection, number):
            raise NotFoundError(f"there is no alert rule {number}", code="alert.not_found")
        rule = found[number]
        before = {
            "kind": rule.kind.value,
            "threshold": rule.threshold,
            "channel": f"{rule.channel_kind}:{rule.variable}",
        }
        client_id = None if rule.client is None else client_row(connection, rule.client, archived=True)["id"]
        note_action(connection, actor, Code.ALERT_REMOVE, number, client_id=client_id, before=before)
    return rule


def list_channels(hq: Hq) -> list[Channel]:
    """All channels that rules have named, and how they did."""
    with hq.transaction() as connection:
        return rules.list_channels(connection)


def list_incidents(hq: Hq, *, client: str | None, limit: int, only_open: bool) -> list[Incident]:
    """The newest incidents. Raises `NotFoundError` for a client that does not exist."""
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        return incidents.list_incidents(connection, client_id, limit, only_open=only_open)


def send_test(settings: Settings, channel: Address) -> list[Said]:
    """Send a test message; what the channel answered. Where a message opens something, one more ends it.

    Raises:
        ConfigurationError: The channel's variable is not set here, or holds no such address.
    """
    send = opened_channel(channel, settings.sandbox_url)
    kind = Kind.BATCH_FINISHED
    text = f"test of the channel {channel}: alerts arrive here ({KINDS[kind].severity.value} is the lowest of them)"
    now = datetime.now(UTC)
    notice = Notice(f"test-{uuid4()}", Action.TRIGGER, kind, None, text, now)
    said = [send([notice])]
    if channel.kind.knows_repeats and said[0].fate is Fate.SENT:
        said.append(send([Notice(notice.key, Action.RESOLVE, kind, None, text, now)]))
    return said
