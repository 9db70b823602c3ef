"""What is watched, what came to pass, and whom it was told."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from enrichment_assets.domain.alerts.kinds import Action
from enrichment_assets.store.tables.columns import identity, metadata, now, one_of, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, Erased, no_person, person
from enrichment_assets.store.tables.tenants import OWN, platform, through

alert_channels = Table(  # where alerts go; an address is in the environment, and here is its variable's name
    "alert_channels",
    metadata,
    identity(),
    Column("kind", Text, nullable=False, comment="slack, teams, discord, pagerduty, webhook ...", info=OUR_WORD),
    Column("variable", Text, nullable=False, comment="NAME of the variable with its address", info=SETTING),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="attempts in a row that failed"),
    Column("rests_until", DateTime(timezone=True), comment="nothing is sent before"),
    Column(
        "said",
        Text,
        comment="what it answered last, without its address",
        info=no_person("a channel's word about a message; about nobody whom the platform looks for"),
    ),
    time("said_at"),
    time("sent_at"),
    UniqueConstraint("kind", "variable"),
    info=platform("the variables of channels: whoever works with the platform reads them"),
)

alert_rules = Table(  # what is watched, and where it is told
    "alert_rules",
    metadata,
    identity(),
    Column("client_id", BigInteger, ForeignKey("clients.id"), comment="null: of every client"),
    Column("kind", Text, nullable=False, comment="domain.alerts.kinds.Kind", info=OUR_WORD),
    Column("threshold", Numeric, comment="in the kind's unit; null: it has none"),
    Column("channel_id", BigInteger, ForeignKey("alert_channels.id"), nullable=False),
    Column("quiet_from", Time, comment="from then on nothing is said; null: there are no quiet hours", info=SETTING),
    Column("quiet_until", Time, info=SETTING),
    Column("time_zone", Text, comment="by whose clocks", info=SETTING),
    now("created_at"),
    Column("removed_at", DateTime(timezone=True), comment="its incidents stay"),
    Index(
        "uq_alert_rules_watched",
        "kind",
        "client_id",
        "threshold",
        "channel_id",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=text("removed_at is null"),
    ),
    info=OWN,
)

alert_incidents = Table(  # what came to pass: one row from when it began until it was over
    "alert_incidents",
    metadata,
    identity(),
    Column(
        "key",
        Uuid,
        nullable=False,
        unique=True,
        server_default=func.gen_random_uuid(),
        comment="by which a channel knows it again",
    ),
    Column("rule_id", BigInteger, ForeignKey("alert_rules.id"), nullable=False),
    Column("client_id", BigInteger, comment="whom it concerns; null: no single client"),
    Column(
        "subject",
        Text,
        nullable=False,
        comment="what it is about, among its rule's incidents: a batch's key, a budget's number ...",
        info=no_person("keys of batches, slugs and numbers"),
    ),
    Column("summary", Text, nullable=False, comment="a sentence", info=person(Erased.MENTIONS)),
    Column("is_event", Boolean, nullable=False, comment="it happened and is over at once"),
    now("opened_at"),
    Column("missing_since", DateTime(timezone=True), comment="it is open, and was not found any more since then"),
    time("closed_at"),
    # Once while it is open, and an event once for ever: whoever else finds the same adds no row.
    Index(
        "uq_alert_incidents_open",
        "rule_id",
        "subject",
        unique=True,
        postgresql_where=text("closed_at is null or is_event"),
    ),
    Index(None, "rule_id", "subject", "closed_at"),
    info=OWN,
)

alert_notices = Table(  # what is to be said of an incident: once that it began, once that it is over
    "alert_notices",
    metadata,
    identity(),
    Column("incident_id", BigInteger, ForeignKey("alert_incidents.id"), nullable=False),
    Column("action", Text, nullable=False, info=OUR_WORD),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("unsure", Integer, nullable=False, server_default=text("0"), comment="attempts that gave no answer"),
    Column("claimed_until", DateTime(timezone=True), comment="somebody sends it now, or died of it"),
    time("sent_at"),
    Column("given_up_at", DateTime(timezone=True), comment="it will not be sent"),
    Column(
        "said",
        Text,
        comment="what the channel answered, or why nothing is sent",
        info=no_person("a channel's word about a message; about nobody whom the platform looks for"),
    ),
    one_of("action", Action),
    UniqueConstraint("incident_id", "action"),
    Index("ix_alert_notices_due", "due_at", postgresql_where=text("sent_at is null and given_up_at is null")),
    info=through("alert_incidents", "incident_id"),
)
