"""Where each item stands in each step."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, SmallInteger, Table, Text, text

from enrichment_assets.domain.statuses import Outcome, Status
from enrichment_assets.store.tables.columns import MONEY, metadata, now, one_of, tenant
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, Erased, person
from enrichment_assets.store.tables.tenants import OWN

workflow_states = Table(
    "workflow_states",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True, info=SETTING),
    Column("batch_id", BigInteger, nullable=False),
    tenant(),
    Column("position", SmallInteger, nullable=False),
    Column("status", Text, nullable=False, server_default=Status.PENDING.value, info=OUR_WORD),
    Column("outcome", Text, info=OUR_WORD),
    Column("reason", Text, comment="why skipped, missed or failed", info=person(Erased.MENTIONS)),
    Column("error_class", Text, info=OUR_WORD),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("cost", MONEY, nullable=False, server_default=text("0")),
    Column("call_id", BigInteger),
    Column("result_id", BigInteger),
    Column("deadline_at", DateTime(timezone=True)),
    Column("next_attempt_at", DateTime(timezone=True), comment="PENDING but not before this time"),
    Column("next_poll_at", DateTime(timezone=True), comment="IN_PROGRESS: when to ask before the deadline"),
    Column("advanced_at", DateTime(timezone=True), comment="when it last changed status"),
    Column("stored_at", DateTime(timezone=True), comment="when its result reached the configured destination"),
    Column(
        "asked_again",
        SmallInteger,
        nullable=False,
        server_default=text("0"),
        comment="how often a person had it asked anew",
    ),
    one_of("status", Status),
    one_of("outcome", Outcome),
    Index(None, "batch_id", "workflow_slug", "status"),
    Index("ix_workflow_states_pending", "batch_id", "item_id", postgresql_where=text("status = 'PENDING'")),
    Index("ix_workflow_states_person", "batch_id", postgresql_where=text("status in ('FAILED', 'AMBIGUOUS')")),
    Index(
        "ix_workflow_states_look",
        text("least(deadline_at, next_poll_at)"),
        postgresql_where=text("status = 'IN_PROGRESS'"),
    ),
    info=OWN,
)

company_play_step_completions = Table(  # success per item and step, as the agency's plays ask for it
    "company_play_step_completions",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True, info=SETTING),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("company_key", Text, info=person(Erased.MENTIONS)),
    Column("overall_step_number", Integer, nullable=False),
    now("completed_at"),
    Index(None, "client_id", "company_key"),
    info=OWN,
)
