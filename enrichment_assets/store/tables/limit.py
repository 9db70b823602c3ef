"""Rates and turns at providers' keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, Integer, Table, Text, text

from enrichment_assets.store.tables.columns import metadata
from enrichment_assets.store.tables.marks import TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN, platform

rate_limits = Table(  # GCRA: the theoretical arrival time of the next call per provider key and window
    "rate_limits",
    metadata,
    Column("limit_key", Text, primary_key=True, info=TECHNICAL),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("paused_until", DateTime(timezone=True), comment="the provider said to wait, or the breaker is open"),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="consecutive, for the breaker"),
    Column(
        "paused_because",
        Text,
        comment="'<cause>: <what the provider said>', while paused_until is to come",
        info=person(Erased.MENTIONS),
    ),
    Column(
        "served", Float, nullable=False, server_default=text("0"), comment="`served` of the client whose turn it is"
    ),
    info=platform("turns at a provider's key, which several clients may share"),
)

rate_shares = Table(  # how much of a provider key's time each client has had: whoever had least is next
    "rate_shares",
    metadata,
    Column("limit_key", Text, primary_key=True, info=TECHNICAL),
    Column("client_id", BigInteger, primary_key=True, autoincrement=False),
    Column("served", Float, nullable=False, comment="seconds of the key by its weight"),
    Column("level", Float, nullable=False, comment="`served` of the run of this client whose turn it is"),
    info=OWN,
)

rate_queue = Table(  # the runs that use a provider key now, and which of them wait for their turn
    "rate_queue",
    metadata,
    Column("limit_key", Text, primary_key=True, info=TECHNICAL),
    Column("runner_id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", BigInteger, nullable=False),
    Column("served", Float, nullable=False, comment="seconds by its batch's priority, as in rate_shares"),
    Column("seconds", Float, nullable=False, comment="how much it asked for last"),
    Column("waits", Boolean, nullable=False),
    Column("until_at", DateTime(timezone=True), nullable=False, comment="until when it waits, or has what it took"),
    info=OWN,
)

rate_counts = Table(  # calls per provider key and hour, for limits per day
    "rate_counts",
    metadata,
    Column("limit_key", Text, primary_key=True, info=TECHNICAL),
    Column("hour", DateTime(timezone=True), primary_key=True, comment="when the hour begins"),
    Column("calls", Integer, nullable=False),
    info=platform("calls by a provider's key, which several clients may share"),
)
