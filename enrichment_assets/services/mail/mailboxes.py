"""Adding a client's mailboxes, looking at them, pausing and resuming them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.countries import region_of
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.mail.addresses import mail_address
from enrichment_assets.domain.mail.bodies import lines_of
from enrichment_assets.domain.mail.headers import one_line
from enrichment_assets.domain.mail.mailboxes import (
    DAILY_CAP,
    LARGEST_CAP,
    MOST_TO_A_DOMAIN,
    RAMP_FROM,
    RAMP_STEP,
    MailboxKind,
    Ramp,
    cap_on,
    checked_settings,
)
from enrichment_assets.domain.mail.message import LINK, OPT_OUT
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.variables import is_own_variable
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.mail import mailboxes as store
from enrichment_assets.store.mail.mailboxes import Mailbox, Usage
from enrichment_assets.store.mail.places import now_of, wake

LONGEST = 500
"""Characters of a postal address or an opt-out sentence."""


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """A mailbox as somebody describes it.

    Attributes:
        address: That mail leaves from.
        kind: How.
        settings: Of its kind, as `{"host": "smtp.acme.com"}`.
        secrets: Purpose -> NAME of the variable, as `{"password": "ACME_SMTP_PASSWORD"}`.
        postal_address: Where the client can be written to, below each mail.
        time_zone: As `America/New_York`.
        name: As readers see it.
        country: Whose holidays are none of its working days; None: weekends alone.
        opt_out: The sentence below each mail that says how to hear no more; `{link}` is where the address stands.
        reply_to: Where replies go; None: to the mailbox.
        html: Whether mails are HTML, too.
        window: From when until when mails leave, by its clocks.
        daily_cap: Mails a day.
        domain_cap: Mails a day to one receiving domain.
        ramp: How it comes to its cap; None: it has it from the start.
    """

    address: str
    kind: MailboxKind
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    postal_address: str
    time_zone: str
    name: str = ""
    country: str | None = None
    opt_out: str = OPT_OUT
    reply_to: str | None = None
    html: bool = False
    window: tuple[time, time] = (time(9), time(17))
    daily_cap: int = DAILY_CAP
    domain_cap: int = MOST_TO_A_DOMAIN
    ramp: Ramp | None = field(default=Ramp(RAMP_FROM, RAMP_STEP))


@dataclass(frozen=True, slots=True)
class MailboxStanding:
    """A mailbox, what it has done, and how many it may send today."""

    mailbox: Mailbox
    usage: Usage
    cap_today: int


def add_mailbox(hq: Hq, client: str, new: NewMailbox, *, actor: Actor) -> Mailbox:
    """Let a client's mail leave from an address.

    Raises:
        ConfigurationError: A setting, time zone, country, cap or variable cannot be used, or the address is taken.
        MailRefusedError: The address is none, or a text cannot stand in a mail.
        NotFoundError: There is no such client.
    """
    values = _checked(new)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        if not store.insert(connection, client_id, values):
            raise ConfigurationError("there is a mailbox of that address already", code="mailbox.address_taken")
        after = {name: values[name] for name in ("kind", "secrets", "time_zone", "country", "daily_cap", "domain_cap")}
        wake(connection, client_id)
        note_action(connection, actor, Code.MAILBOX_ADD, values["address"], client_id=client_id, after=after)
        return _found(connection, values["address"])


def list_mailboxes(hq: Hq, *, client: str | None = None, now: datetime | None = None) -> list[MailboxStanding]:
    """All mailboxes, or a client's, each with what it has done; `now`: when it is, for tests."""
    with hq.transaction() as connection:
        found = store.listed(connection, None if client is None else client_row(connection, client)["id"])
        used = store.usage(connection, [one.id for one in found], now or now_of(connection))
    return [_standing(one, used[one.id]) for one in found]


def find_mailbox(hq: Hq, address: str, *, now: datetime | None = None) -> MailboxStanding:
    """One by its address, as `list_mailboxes`; raises `NotFoundError`."""
    with hq.transaction() as connection:
        found = _found(connection, address)
        return _standing(found, store.usage(connection, [found.id], now or now_of(connection))[found.id])


def pause_mailbox(hq: Hq, address: str, *, actor: Actor, reason: str = "by hand") -> Mailbox:
    """Let nothing more leave from a mailbox; what has a place there waits or moves to the client's others."""
    with hq.transaction() as connection:
        mailbox = _found(connection, address, lock=True)
        if store.pause(connection, mailbox.id, reason[:LONGEST]):
            note_action(
                connection, actor, Code.MAILBOX_PAUSE, address, client_id=mailbox.client_id, after={"reason": reason}
            )
        return _found(connection, address)


def resume_mailbox(hq: Hq, address: str, *, actor: Actor) -> Mailbox:
    """Let mail leave again; the bounces and complaints until now are not held against the mailbox any more."""
    with hq.transaction() as connection:
        mailbox = _found(connection, address, lock=True)
        if mailbox.paused_at is not None:
            store.resume(connection, mailbox.id)
            wake(connection, mailbox.client_id)
            before = {"reason": mailbox.paused_reason}
            note_action(connection, actor, Code.MAILBOX_RESUME, address, client_id=mailbox.client_id, before=before)
        return _found(connection, address)


def set_caps(
    hq: Hq, address: str, *, actor: Actor, daily_cap: int | None = None, domain_cap: int | None = None
) -> Mailbox:
    """Send another number of mails a day; None leaves a number as it is. A lower one counts at once."""
    with hq.transaction() as connection:
        mailbox = _found(connection, address, lock=True)
        caps = (
            mailbox.daily_cap if daily_cap is None else daily_cap,
            mailbox.domain_cap if domain_cap is None else domain_cap,
        )
        _check_caps(*caps)
        if caps != (mailbox.daily_cap, mailbox.domain_cap):
            store.set_caps(connection, mailbox.id, *caps)
            wake(connection, mailbox.client_id)
            before = {"daily_cap": mailbox.daily_cap, "domain_cap": mailbox.domain_cap}
            after = {"daily_cap": caps[0], "domain_cap": caps[1]}
            note_action(
                connection, actor, Code.MAILBOX_SET, address, client_id=mailbox.client_id, before=before, after=after
            )
        return _found(connection, address)


def _checked(new: NewMailbox) -> dict[str, Any]:
    for purpose, variable in new.secrets.items():
        if not variable.isidentifier() or is_own_variable(variable):
            raise ConfigurationError(
                f"secret {purpose!r}: it takes the NAME of an environment variable that is none of the platform's own",
                code="mailbox.variable",
            )
    _check_caps(new.daily_cap, new.domain_cap)
    if new.window[0] >= new.window[1]:
        raise ConfigurationError("the window ends before it begins", code="mailbox.window")
    if new.ramp is not None and not (0 < new.ramp.start <= LARGEST_CAP and 0 <= new.ramp.step <= LARGEST_CAP):
        raise ConfigurationError(f"a ramp begins with 1 to {LARGEST_CAP} mails a day", code="mailbox.ramp")
    for text in (new.postal_address, new.opt_out):
        lines_of(text)
    if not 0 < len(new.postal_address.strip()) <= LONGEST:
        raise ConfigurationError(
            f"a mailbox needs a postal address, of at most {LONGEST} characters", code="mailbox.no_postal_address"
        )
    if not new.opt_out.replace(LINK, "").strip() or len(new.opt_out) > LONGEST:
        raise ConfigurationError(
            f"a mailbox needs an opt-out sentence, of at most {LONGEST} characters", code="mailbox.no_opt_out"
        )
    return {
        "address": str(mail_address(new.address)).lower(),
        "kind": new.kind.value,
        "name": one_line("the name", new.name)[:200],
        "settings": checked_settings(new.kind, dict(new.settings), dict(new.secrets)),
        "secrets": dict(new.secrets),
        "postal_address": new.postal_address.strip(),
        "opt_out": new.opt_out.strip(),
        "reply_to": None if new.reply_to is None else str(mail_address(new.reply_to)),
        "html": new.html,
        "time_zone": _zone(new.time_zone),
        "country": _country(new.country),
        "window_from": new.window[0],
        "window_until": new.window[1],
        "daily_cap": new.daily_cap,
        "domain_cap": new.domain_cap,
        "ramp_from": None if new.ramp is None else new.ramp.start,
        "ramp_step": None if new.ramp is None else new.ramp.step,
    }


def _check_caps(daily_cap: int, domain_cap: int) -> None:
    if not 0 <= daily_cap <= LARGEST_CAP or not 1 <= domain_cap <= LARGEST_CAP:
        raise ConfigurationError(f"a mailbox sends at most {LARGEST_CAP} mails a day", code="mailbox.cap")


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"there is no time zone {name!r}: one is America/New_York", code="mailbox.time_zone"
        ) from None


def _country(text: str | None) -> str | None:
    if text is None:
        return None
    code = region_of(text)
    if code is None:
        raise ConfigurationError(f"{text!r} is no country: one is US, or Germany", code="mailbox.country")
    return code


def _standing(mailbox: Mailbox, used: Usage) -> MailboxStanding:
    return MailboxStanding(mailbox, used, cap_on(mailbox.daily_cap, mailbox.ramp, used.days_sent))


def _found(connection: Connection, address: str, *, lock: bool = False) -> Mailbox:
    mailbox = store.find(connection, address.strip().lower(), lock=lock)
    if mailbox is None:
        known = ", ".join(one.address for one in store.listed(connection)) or "none"
        raise NotFoundError(f"there is no mailbox {address!r}; there are: {known}", code="mailbox.not_found")
    return mailbox
