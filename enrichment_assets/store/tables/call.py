"""The ledger of provider calls, and what models were asked about."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrichment_assets.domain.statuses import CallState
from enrichment_assets.store.tables.columns import MONEY, identity, metadata, now, one_of, readings, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

provider_calls = Table(  # the ledger: one row per logical, possibly billed call
    "provider_calls",
    metadata,
    identity(),
    Column(
        "call_key",
        Text,
        nullable=False,
        unique=True,
        comment="stable per (subject, workflow, config version) of a batch",
        info=person(Erased.MENTIONS),
    ),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column(
        "item_id",
        BigInteger,
        nullable=False,
        comment="the item that made the call; others of the company share it",
    ),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    Column("subject_key", Text, nullable=False, comment="'item:<id>' or the company key", info=person(Erased.MENTIONS)),
    Column("provider", Text, nullable=False, info=SETTING),
    Column("operation", Text, nullable=False, info=SETTING),
    Column("state", Text, nullable=False, info=OUR_WORD),
    Column("fence", BigInteger, nullable=False),
    Column("runner_id", BigInteger),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("estimated_cost", MONEY, nullable=False, server_default=text("0")),
    Column("cost", MONEY, comment="what the answer says it cost; null until settled"),
    Column("http_status", SmallInteger),
    Column("response_headers", JSONB, info=person(Erased.NULL)),
    Column("response_body", LargeBinary, info=person(Erased.TAKEN_OUT)),
    Column("external_id", Text, info=person(Erased.MENTIONS)),
    Column("callback_token", Text, unique=True, info=TECHNICAL),
    Column("token_expires_at", DateTime(timezone=True)),
    Column("deadline_at", DateTime(timezone=True)),
    Column("error_class", Text, info=OUR_WORD),
    Column("error", Text, info=person(Erased.MENTIONS)),
    now("created_at"),
    time("sent_at"),
    time("received_at"),
    time("applied_at"),
    Column(
        "question_hash",
        Text,
        comment="of the rendered request, without addresses for callbacks and secrets",
        info=person(Erased.NULL),
    ),
    Column("reused_from", BigInteger, comment="the call whose answer was used instead of asking again"),
    Column("merge_rule", SmallInteger, comment="rule that chose the values of its first request; null: an earlier one"),
    Column("body_bytes", BigInteger, comment="of a body that was taken out"),
    Column("body_sha256", LargeBinary, comment="of a body that was taken out", info=TECHNICAL),
    time("body_removed_at"),
    readings(),
    Column("bulk_id", Uuid, comment="the request that carried its last attempt together with others"),
    Column("model", Text, comment="the language model that answered, in its vendor's words", info=SETTING),
    Column("input_tokens", BigInteger, comment="of all its answered attempts, cached ones among them"),
    Column("cached_input_tokens", BigInteger, comment="of these, read from the vendor's cache"),
    Column("cache_write_tokens", BigInteger, comment="of these, written to it"),
    Column("output_tokens", BigInteger),
    Column("searches", BigInteger, comment="web searches of the model"),
    Column("cost_basis", Text, comment="what the last cost follows from: reported, usage or reserved", info=OUR_WORD),
    one_of("state", CallState),
    CheckConstraint("cost_basis in ('reported', 'usage', 'reserved')", name="cost_basis"),
    Index(None, "batch_id", "workflow_slug"),
    Index(
        "ix_provider_calls_question",
        "client_id",
        "question_hash",
        postgresql_where=text("question_hash is not null"),
    ),
    Index(None, "item_id"),
    info=OWN,
)

bulk_calls = Table(  # requests that carry several calls
    "bulk_calls",
    metadata,
    Column("id", Uuid, primary_key=True),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    Column("runner_id", BigInteger, nullable=False, comment="who sends it, and may write its answer"),
    Column(
        "call_ids",
        ARRAY(BigInteger),
        nullable=False,
        comment="its members, rows of provider_calls, in the order of the request",
    ),
    Column(
        "names",
        ARRAY(Text),
        comment="the members' ids; null: they are found by their place",
        info=person(Erased.MENTIONS),
    ),
    Column("http_status", SmallInteger),
    Column("response_headers", JSONB, info=person(Erased.MENTIONS)),
    Column(
        "response_body", LargeBinary, comment="the whole answer, once for all members", info=person(Erased.TAKEN_OUT)
    ),
    now("created_at"),
    time("received_at"),
    Column("body_bytes", BigInteger, comment="of a body that was taken out"),
    Column("body_sha256", LargeBinary, comment="of a body that was taken out", info=TECHNICAL),
    time("body_removed_at"),
    Column("callback_token", Text, unique=True, info=TECHNICAL),
    time("token_expires_at"),
    info=OWN,
)

prompt_inputs = Table(  # what language models were asked about: answers are read, and grounded, by it
    "prompt_inputs",
    metadata,
    Column(
        "call_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="a row of provider_calls, written with its intent",
    ),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column(
        "inputs",
        LargeBinary,
        comment="JSON: name -> text, as the model saw it; personal data",
        info=person(Erased.TAKEN_OUT),
    ),
    Column("body_bytes", BigInteger, comment="of inputs that were taken out"),
    time("body_removed_at"),
    info=OWN,
)
