"""Runs and what they hold: who writes now, what stands still, where the time went."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Float, ForeignKey, Index, Table, Text, text

from enrichment_assets.store.tables.columns import identity, metadata, now, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN, through

item_leases = Table(  # who may write for an item now; narrow on purpose, claims rewrite it often
    "item_leases",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("batch_id", BigInteger, nullable=False),
    Column(
        "fence",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="grows with each claim; every write compares it",
    ),
    Column("runner_id", BigInteger, comment="null: free"),
    Index(None, "batch_id", "item_id"),
    info=through("batches", "batch_id"),
)

runners = Table(  # one row per engine run; one heartbeat here keeps all its item leases alive
    "runners",
    metadata,
    identity(),
    Column("batch_id", BigInteger, ForeignKey("batches.id"), nullable=False),
    Column(
        "label", Text, nullable=False, comment="host:pid, and the Dagster run id where there is one", info=TECHNICAL
    ),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    now("started_at"),
    time("ended_at"),
    info=through("batches", "batch_id"),
)

step_stops = Table(  # why a step of a batch sends nothing: one row for all its PENDING states
    "step_stops",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True, info=SETTING),
    tenant(),
    Column("cause", Text, nullable=False, info=OUR_WORD),
    Column("reason", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column(
        "variable", Text, comment="the environment variable that is missing, or whose key was refused", info=SETTING
    ),
    Column("process", Text, nullable=False, comment="who found out: `enrich up`, or host:pid", info=TECHNICAL),
    Column("until_at", DateTime(timezone=True), comment="when it may go on by itself; null: not by itself"),
    now("stopped_at"),
    info=OWN,
)

step_times = Table(  # where the time of a batch's runs went, step by step: what `enrich stats` names the bottleneck by
    "step_times",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True, comment="empty: all steps of its runs", info=SETTING),
    Column(
        "spent_on",
        Text,
        primary_key=True,
        comment="rate, slots, provider, ours ...; `run`: the runs' own length",
        info=OUR_WORD,
    ),
    tenant(),
    Column("seconds", Float, nullable=False),
    info=OWN,
)
