"""Mailboxes that mail leaves from, and the mails with their place in a mailbox's day."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    Time,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.domain.mail.mailboxes import MailboxKind, MessageState
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

mailboxes = Table(  # an address that a client's mail leaves from
    "mailboxes",
    metadata,
    identity(),
    client(),
    Column("address", Text, nullable=False, unique=True, comment="in lower case: one mailbox, one cap", info=STAFF),
    Column("kind", Text, nullable=False, info=OUR_WORD),
    Column("name", Text, nullable=False, server_default=text("''"), comment="as readers see it", info=STAFF),
    Column("settings", JSONB, nullable=False, comment="of its kind", info=SETTING),
    Column("secrets", JSONB, nullable=False, comment="purpose -> NAME of the variable", info=SETTING),
    Column("postal_address", Text, nullable=False, comment="below each mail", info=SETTING),
    Column("opt_out", Text, nullable=False, comment="the sentence below each mail", info=SETTING),
    Column("reply_to", Text, comment="null: replies go to the mailbox", info=STAFF),
    Column("html", Boolean, nullable=False, server_default=text("false")),
    Column("time_zone", Text, nullable=False, info=SETTING),
    Column("country", Text, comment="ISO code, whose holidays count; null: weekends alone", info=SETTING),
    Column("window_from", Time, nullable=False, server_default=text("'09:00'"), info=SETTING),
    Column("window_until", Time, nullable=False, server_default=text("'17:00'"), info=SETTING),
    Column("daily_cap", SmallInteger, nullable=False),
    Column("domain_cap", SmallInteger, nullable=False, comment="a day, to one receiving domain"),
    Column("ramp_from", SmallInteger, comment="on the first day of sending; null: the cap from the start"),
    Column("ramp_step", SmallInteger, comment="more on each further day of sending"),
    now("created_at"),
    Column("judged_from", DateTime(timezone=True), comment="what came back before does not count: it was resumed"),
    Column("paused_at", DateTime(timezone=True), comment="nothing leaves"),
    Column("paused_reason", Text, info=OUR_WORD),
    one_of("kind", MailboxKind),
    CheckConstraint("window_from < window_until", name="window"),
    CheckConstraint("daily_cap >= 0 and domain_cap > 0", name="caps"),
    CheckConstraint("(ramp_from is null) = (ramp_step is null)", name="ramp"),
    Index(None, "client_id"),
    info=OWN,
)

mail_messages = Table(  # one mail: its place in a mailbox's day, and what became of it
    "mail_messages",
    metadata,
    identity(),
    tenant(),
    Column("mailbox_id", BigInteger, ForeignKey("mailboxes.id"), nullable=False),
    Column("batch_id", BigInteger, comment="null: a reply, which no delivery is"),
    Column("item_id", BigInteger),
    Column("workflow_slug", Text, comment="the delivery; null: a reply", info=SETTING),
    Column("delivery_id", BigInteger, comment="once it is intended"),
    Column("step", SmallInteger, nullable=False, server_default=text("1"), comment="of its sequence, from 1"),
    Column("recipient", Text, nullable=False, comment="in normal form", info=person(Erased.BLANK)),
    Column("receiving_domain", Text, nullable=False, info=person(Erased.BLANK)),
    Column("message_id", Text, unique=True, comment="made of the delivery's key: <...@own domain>", info=TECHNICAL),
    Column("thread", BigInteger, comment="the first mail of its thread; null: it is the first"),
    Column("state", Text, nullable=False, server_default=text("'planned'"), info=OUR_WORD),
    Column("day", Date, nullable=False, comment="of the mailbox's zone: whose cap it counts in"),
    Column("slot", SmallInteger, comment="its place in that day; null: it has none any more"),
    Column("scheduled_at", DateTime(timezone=True), nullable=False),
    time("sent_at"),
    Column("reply_code", SmallInteger, comment="what the server said last; null: nothing"),
    Column("reason", Text, comment="why it is where it is", info=person(Erased.MENTIONS)),
    time("bounced_at"),
    time("complained_at"),
    time("replied_at"),
    now("created_at"),
    one_of("state", MessageState),
    Index(
        "uq_mail_messages_place", "mailbox_id", "day", "slot", unique=True, postgresql_where=text("slot is not null")
    ),
    Index(
        "uq_mail_messages_item",
        "item_id",
        "workflow_slug",
        unique=True,
        postgresql_where=text("state <> 'dropped' and item_id is not null"),
    ),
    Index(None, "client_id", "recipient"),
    Index(None, "batch_id"),
    Index(None, "mailbox_id", "sent_at"),
    info=OWN,
)
