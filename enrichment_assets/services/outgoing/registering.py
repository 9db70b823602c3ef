"""Clients' servers that are told: adding them, switching them on and off, and sending again what did not arrive."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, MissingVariableError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.outgoing import MOST_LEADS, EventType, check_name, check_secret, event_types
from enrichment_assets.domain.variables import is_own_variable
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.outgoing import messages, webhooks
from enrichment_assets.store.outgoing.webhooks import Webhook
from enrichment_assets.wire.outgoing import Reach

ROTATION_HOURS = 24.0
"""How long messages are signed by the secret before as well."""


def add_webhook(
    hq: Hq,
    settings: Settings,
    client: str,
    name: str,
    url: str,
    events: Sequence[str],
    secret_variable: str,
    *,
    actor: Actor,
    leads_per_message: int = 1,
) -> Webhook:
    """Tell a client's server from now on.

    Args:
        hq: HQ and workspace.
        settings: Where messages may go.
        client: Slug.
        name: By which it is known; no other has it.
        url: `https://...`.
        events: Names of events, as `lead.ready`.
        secret_variable: NAME of the environment variable with the secret; it has to be set.
        actor: Who adds it.
        leads_per_message: How many leads may stand in one message.

    Raises:
        ConfigurationError: The name, address, an event or the secret is none that can be used, or the name is taken.
        NotFoundError: There is no such client.
    """
    check_name(name)
    Reach.of(settings).check(url)
    told_of = [one.value for one in event_types(events)]
    if not 1 <= leads_per_message <= MOST_LEADS:
        raise ConfigurationError(f"a message has 1 to {MOST_LEADS} leads", code="webhook.leads_per_message")
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        secret_of(secret_variable)
        if not webhooks.add(connection, client_id, name, url, told_of, secret_variable, leads_per_message):
            raise ConfigurationError(f"there is a webhook {name} already", code="webhook.name_taken")
        after = {"host": urlsplit(url).hostname, "events": told_of, "secrets": {"current": secret_variable}}
        note_action(connection, actor, Code.WEBHOOK_ADD, name, client_id=client_id, after=after)
        return _found(connection, name)


def secret_of(variable: str, environment: Mapping[str, str] | None = None) -> str:
    """The secret that a variable holds.

    Raises:
        ConfigurationError: The variable is one of the platform's own, or holds no secret of Standard Webhooks.
        MissingVariableError: It is not set.
    """
    if is_own_variable(variable):
        raise ConfigurationError(
            f"{variable} is a setting of the platform or the system, and no secret of a webhook",
            code="webhook.variable_reserved",
        )
    secret = (os.environ if environment is None else environment).get(variable, "")
    if not secret:
        raise MissingVariableError(f"the webhook's secret: the environment variable {variable} is not set", variable)
    check_secret(variable, secret)
    return secret


def list_webhooks(hq: Hq, *, client: str | None = None) -> list[Webhook]:
    """All webhooks, or a client's."""
    with hq.transaction() as connection:
        return webhooks.listed(connection, None if client is None else client_row(connection, client)["id"])


def find_webhook(hq: Hq, name: str, *, client: str | None = None) -> Webhook:
    """One by its name; `client`: only where it is theirs. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        return _found(connection, name, client)


def list_messages(
    hq: Hq, name: str, *, state: str | None, limit: int, client: str | None = None
) -> list[messages.MessageRow]:
    """The latest messages to a webhook, the latest first; `client`: only where it is theirs."""
    with hq.transaction() as connection:
        return messages.listed(connection, _found(connection, name, client).id, state, limit)


def rotate_secret(hq: Hq, name: str, variable: str, *, actor: Actor, hours: float = ROTATION_HOURS) -> Webhook:
    """Sign by another secret, and for some hours by the one before as well; raises as `add_webhook`."""
    secret_of(variable)
    with hq.transaction() as connection:
        webhook = _found(connection, name, lock=True)
        if variable != webhook.secret_variable:
            webhooks.rotate(connection, webhook.id, variable, hours)
            before = {"secrets": {"current": webhook.secret_variable}}
            _note(connection, actor, Code.WEBHOOK_ROTATE, webhook, before, {"secrets": {"current": variable}})
        return _found(connection, name)


def enable_webhook(hq: Hq, name: str, *, actor: Actor, client: str | None = None) -> Webhook:
    """Send again to a webhook that was disabled: what waited goes out. `client`: only where it is theirs."""
    with hq.transaction() as connection:
        webhook = _found(connection, name, client, lock=True)
        if webhook.disabled_at is not None:
            webhooks.enable(connection, webhook.id)
            _note(connection, actor, Code.WEBHOOK_ENABLE, webhook, {"reason": webhook.disabled_reason}, None)
        return _found(connection, name)


def disable_webhook(hq: Hq, name: str, *, actor: Actor, reason: str = "by hand", client: str | None = None) -> Webhook:
    """Send nothing more to a webhook; what waits is kept. `client`: only where it is theirs."""
    with hq.transaction() as connection:
        webhook = _found(connection, name, client, lock=True)
        if webhook.disabled_at is None:
            webhooks.disable(connection, webhook.id, reason)
            _note(connection, actor, Code.WEBHOOK_DISABLE, webhook, None, {"reason": reason})
        return _found(connection, name)


def remove_webhook(hq: Hq, name: str, *, actor: Actor) -> Webhook:
    """Forget a webhook and its messages. Returns what it was."""
    with hq.transaction() as connection:
        webhook = _found(connection, name, lock=True)
        webhooks.remove(connection, webhook)
        _note(connection, actor, Code.WEBHOOK_REMOVE, webhook, {"events": webhook.events}, None)
    return webhook


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is sent again.

    Attributes:
        webhook: To which.
        since: Since when.
        given_up: Messages that had been given up.
        missing: Messages of events that had none, as those while it was disabled.
    """

    webhook: str
    since: datetime
    given_up: int
    missing: int


def recover_messages(hq: Hq, name: str, since: datetime, *, actor: Actor, client: str | None = None) -> Recovery:
    """Send again what did not arrive since a time; what arrived is not sent again. `client`: only where it is theirs.

    Raises:
        ConfigurationError: The webhook is disabled.
        NotFoundError: There is none of that name.
    """
    moment = since if since.tzinfo is not None else since.replace(tzinfo=UTC)
    with hq.transaction() as connection:
        webhook = _found(connection, name, client, lock=True)
        if webhook.disabled_at is not None:
            raise ConfigurationError(
                f"the webhook {name} is disabled ({webhook.disabled_reason}): enable it first", code="webhook.disabled"
            )
        given_up, missing = messages.recover(connection, webhook.id, moment)
        if given_up or missing:
            after = {"since": moment.isoformat(), "given_up": given_up, "missing": missing}
            _note(connection, actor, Code.WEBHOOK_RECOVER, webhook, None, after)
    return Recovery(name, moment, given_up, missing)


def known_events() -> list[str]:
    """Names of the events that can be told of."""
    return [one.value for one in EventType]


def _found(connection: Connection, name: str, client: str | None = None, *, lock: bool = False) -> Webhook:
    """One by its name; `client`: only where it is theirs."""
    webhook = webhooks.find(connection, name, lock=lock)
    if webhook is None or client not in (None, webhook.client):
        theirs = [one.name for one in webhooks.listed(connection) if client in (None, one.client)]
        known = ", ".join(theirs) or "none"
        raise NotFoundError(f"there is no webhook {name!r}; there are: {known}", code="webhook.not_found")
    return webhook


def _note(
    connection: Connection,
    actor: Actor,
    code: Code,
    webhook: Webhook,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
) -> None:
    note_action(connection, actor, code, webhook.name, client_id=webhook.client_id, before=before, after=after)
