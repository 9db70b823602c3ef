"""The tables of the HQ database, as SQLAlchemy Core metadata. Migrations under `migrations/` follow this file.

What belongs here: columns, keys, checks, indexes, and a line on why each table exists. Queries are elsewhere in this
room. Every tenant-owned table carries `client_id`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.statuses import CallState, InboxStatus, Outcome, Status

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MONEY = Numeric(18, 6)
"""Exact decimals; six places hold a fraction of a credit."""


def _one_of(column: str, values: type[Status] | type[Outcome] | type[CallState] | type[InboxStatus]) -> CheckConstraint:
    listed = ", ".join(f"'{v.value}'" for v in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _client() -> Column[int]:
    return Column("client_id", BigInteger, ForeignKey("clients.id"), nullable=False)


def _tenant() -> Column[int]:
    """The client of a high-volume row: no foreign key, its batch has one (a trigger per row would halve bulk loads)."""
    return Column("client_id", BigInteger, nullable=False)


def _now(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _time(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True))


def _readings() -> Column[int]:
    comment = "times that reading this body was begun; some may have ended a run"
    return Column("readings", SmallInteger, nullable=False, server_default=text("0"), comment=comment)


clients = Table(
    "clients",
    metadata,
    _id(),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    _now("created_at"),
    _time("archived_at"),
    Column(
        "weight", Float, nullable=False, server_default=text("1"), comment="turns beside other clients' at shared rates"
    ),
    CheckConstraint("weight >= 0.01 and weight <= 100", name="weight"),
    CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="slug"),
)

client_profiles = Table(  # what a client offers, for prompts: each change is a version, and none is ever overwritten
    "client_profiles",
    metadata,
    _id(),
    _client(),
    Column("version", Integer, nullable=False, comment="from 1 for each client"),
    Column("profile", JSONB, nullable=False, comment="domain.client_profiles.ClientProfile"),
    Column("content_hash", Text, nullable=False, comment="SHA-256 of the profile"),
    Column("set_by", Text, nullable=False, comment="kind:name, as cli:ada"),
    _now("set_at"),
    UniqueConstraint("client_id", "version"),
)

uploads = Table(  # one file as it came; the bytes are kept at uploads_dir/<client>/<sha256>
    "uploads",
    metadata,
    _id(),
    _client(),
    Column("filename", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("delimiter", Text, nullable=False),
    Column(
        "columns",
        JSONB,
        nullable=False,
        comment="[{name: header cell as uploaded, key: unique key, field: identity column or null}]",
    ),
    Column(
        "options", JSONB, nullable=False, server_default="{}", comment="what a person said of the file: encoding ..."
    ),
    Column("reading", JSONB, nullable=False, server_default="{}", comment="lines_above, bytes_below, sheet"),
    Column("row_count", BigInteger, nullable=False, comment="data rows = item rows + rejected rows"),
    Column("rejected_count", BigInteger, nullable=False),
    Column("source", Text, nullable=False, comment="cli, inbox or api"),
    _now("created_at"),
    _time("archived_at"),
    UniqueConstraint("client_id", "sha256", "options"),
)

upload_rejections = Table(  # a row that could not be read, with the reason: never dropped in silence
    "upload_rejections",
    metadata,
    _id(),
    _client(),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), nullable=False),
    Column("row_number", BigInteger, nullable=False, comment="1-based data row"),
    Column("line_number", BigInteger, nullable=False, comment="1-based physical line where the row starts"),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False, comment="the row's text, at most 10,000 characters"),
    UniqueConstraint("upload_id", "row_number"),
)

enrichment_registry = Table(  # one row per workflow; the built-in YAML files seed it, this table is the truth
    "enrichment_registry",
    metadata,
    _id(),
    Column("workflow_slug", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("overall_step_number", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("requires", JSONB, nullable=False),
    Column("provides", JSONB, nullable=False),
    Column("run_if", Text),
    Column("destination_db", Text),
    Column("destination_table_name", Text),
    Column("destination_field_mappings", JSONB),
    Column("price", JSONB, nullable=False),
    Column("limits", JSONB, nullable=False),
    Column("deadline_seconds", Float, nullable=False),
    Column("retry", JSONB, nullable=False),
    Column(
        "definition",
        JSONB,
        nullable=False,
        comment="what the columns above do not hold: templates, mappings, ...",
    ),
    Column("version", Text, nullable=False, comment="WorkflowDefinition.version()"),
    Column(
        "builtin_version",
        Text,
        comment="version of the YAML file this row was seeded from; null: added by a user",
    ),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    _now("created_at"),
    _now("updated_at"),
    _time("archived_at"),
)

client_workflow_configs = Table(
    "client_workflow_configs",
    metadata,
    _id(),
    _client(),
    Column("workflow_slug", Text, ForeignKey("enrichment_registry.workflow_slug"), nullable=False),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column(
        "secrets",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="purpose -> environment variable NAME",
    ),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    _now("updated_at"),
    UniqueConstraint("client_id", "workflow_slug"),
)

enrichment_pipelines = Table(
    "enrichment_pipelines",
    metadata,
    _id(),
    Column(
        "client_id",
        BigInteger,
        ForeignKey("clients.id"),
        comment="null: a built-in pipeline every client can use",
    ),
    Column("slug", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("definition", JSONB, nullable=False, comment="PipelineDefinition"),
    _now("created_at"),
    _now("updated_at"),
    _time("archived_at"),
    UniqueConstraint("client_id", "slug", postgresql_nulls_not_distinct=True),
)

batches = Table(  # one execution: an upload x a pipeline; batch_key is the Dagster partition key
    "batches",
    metadata,
    _id(),
    Column("batch_key", Text, nullable=False, unique=True),
    _client(),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), comment="null: a try has none"),
    Column("pipeline_slug", Text, nullable=False),
    Column("blueprint", JSONB, nullable=False),
    _now("created_at"),
    _time("items_created_at"),
    _time("started_at"),
    _time("finished_at"),
    _time("extracted_at"),
    Column(
        "resume_at",
        DateTime(timezone=True),
        comment="when the sequencer should look at this batch again; null: a callback or a person moves it",
    ),
    _time("retired_at"),
    Column("row_limit", BigInteger, comment="only so many readable rows of the upload, its first ones; null: all"),
    _time("given_up_at"),
    Column(
        "holds",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="workflow slug, or * for all -> {kind: paused or cancelled, reason, actor, at}: none of it is sent",
    ),
    _time("guard_spoke_at"),
    Column("replaces", BigInteger, comment="the batch that was given up for this one"),
    Column(
        "priority",
        SmallInteger,
        nullable=False,
        server_default=text("0"),
        comment="among the batches of its client: -1 low, 0 normal, 1 high",
    ),
    Column(
        "is_try",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="a few rows of one workflow that somebody tries: no partition, no leads, no tables",
    ),
    CheckConstraint("is_try = (upload_id is null)", name="try"),
    CheckConstraint("batch_key ~ '^[a-z0-9][a-z0-9._-]{0,199}$'", name="batch_key"),
)

batch_items = Table(
    "batch_items",
    metadata,
    _id(),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("row_number", BigInteger, nullable=False, comment="1-based data row; 0 for a child item"),
    Column("parent_item_id", BigInteger),
    Column(
        "origin_key",
        Text,
        nullable=False,
        comment="'row:<n>', or '<workflow>:<dedupe key>' for a child: unique in its batch",
    ),
    Column(
        "company_key",
        Text,
        comment="rule:value of the pipeline's company_identity; null: the row names no company",
    ),
    *(Column(name, Text) for name in IDENTITY_FIELDS),
    Column("original_data", JSONB, nullable=False, comment="every cell as uploaded, by unique column key"),
    Column("details", JSONB, comment="what a cell says beside its field's value: phone_type, phone_extension ..."),
    Column("rejected", JSONB, comment="field -> {value, reason, others}: what of its cell is not in the column"),
    _now("created_at"),
    UniqueConstraint("batch_id", "origin_key"),
    Index(None, "batch_id", "id"),
)

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
)

runners = Table(  # one row per engine run; one heartbeat here keeps all its item leases alive
    "runners",
    metadata,
    _id(),
    Column("batch_id", BigInteger, ForeignKey("batches.id"), nullable=False),
    Column("label", Text, nullable=False, comment="host:pid, and the Dagster run id where there is one"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _now("started_at"),
    _time("ended_at"),
)

workflow_states = Table(
    "workflow_states",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True),
    Column("batch_id", BigInteger, nullable=False),
    _tenant(),
    Column("position", SmallInteger, nullable=False),
    Column("status", Text, nullable=False, server_default=Status.PENDING.value),
    Column("outcome", Text),
    Column("reason", Text, comment="why skipped, missed or failed"),
    Column("error_class", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("cost", MONEY, nullable=False, server_default=text("0")),
    Column("call_id", BigInteger),
    Column("result_id", BigInteger),
    Column("deadline_at", DateTime(timezone=True)),
    Column("next_attempt_at", DateTime(timezone=True), comment="PENDING but not before this time"),
    Column("next_poll_at", DateTime(timezone=True), comment="IN_PROGRESS: when to ask before the deadline"),
    Column("advanced_at", DateTime(timezone=True), comment="when it last changed status"),
    Column("stored_at", DateTime(timezone=True), comment="when its result reached the configured destination"),
    _one_of("status", Status),
    _one_of("outcome", Outcome),
    Index(None, "batch_id", "workflow_slug", "status"),
    Index("ix_workflow_states_pending", "batch_id", "item_id", postgresql_where=text("status = 'PENDING'")),
    Index(
        "ix_workflow_states_look",
        text("least(deadline_at, next_poll_at)"),
        postgresql_where=text("status = 'IN_PROGRESS'"),
    ),
)

provider_calls = Table(  # the ledger: one row per logical, possibly billed call
    "provider_calls",
    metadata,
    _id(),
    Column(
        "call_key",
        Text,
        nullable=False,
        unique=True,
        comment="stable per (subject, workflow, config version) of a batch",
    ),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column(
        "item_id",
        BigInteger,
        nullable=False,
        comment="the item that made the call; others of the company share it",
    ),
    Column("workflow_slug", Text, nullable=False),
    Column("subject_key", Text, nullable=False, comment="'item:<id>' or the company key"),
    Column("provider", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("runner_id", BigInteger),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("estimated_cost", MONEY, nullable=False, server_default=text("0")),
    Column("cost", MONEY, comment="what the answer says it cost; null until settled"),
    Column("http_status", SmallInteger),
    Column("response_headers", JSONB),
    Column("response_body", LargeBinary),
    Column("external_id", Text),
    Column("callback_token", Text, unique=True),
    Column("token_expires_at", DateTime(timezone=True)),
    Column("deadline_at", DateTime(timezone=True)),
    Column("error_class", Text),
    Column("error", Text),
    _now("created_at"),
    _time("sent_at"),
    _time("received_at"),
    _time("applied_at"),
    Column("question_hash", Text, comment="of the rendered request, without addresses for callbacks and secrets"),
    Column("reused_from", BigInteger, comment="the call whose answer was used instead of asking again"),
    Column("merge_rule", SmallInteger, comment="rule that chose the values of its first request; null: an earlier one"),
    Column("body_bytes", BigInteger, comment="of a body that was taken out"),
    Column("body_sha256", LargeBinary, comment="of a body that was taken out"),
    _time("body_removed_at"),
    _readings(),
    Column("bulk_id", Uuid, comment="the request that carried its last attempt together with others"),
    Column("model", Text, comment="the language model that answered, in its vendor's words"),
    Column("input_tokens", BigInteger, comment="of all its answered attempts, cached ones among them"),
    Column("cached_input_tokens", BigInteger, comment="of these, read from the vendor's cache"),
    Column("cache_write_tokens", BigInteger, comment="of these, written to it"),
    Column("output_tokens", BigInteger),
    Column("searches", BigInteger, comment="web searches of the model"),
    Column("cost_basis", Text, comment="what the last cost follows from: reported, usage or reserved"),
    _one_of("state", CallState),
    CheckConstraint("cost_basis in ('reported', 'usage', 'reserved')", name="cost_basis"),
    Index(None, "batch_id", "workflow_slug"),
    Index(
        "ix_provider_calls_question",
        "client_id",
        "question_hash",
        postgresql_where=text("question_hash is not null"),
    ),
    Index(None, "item_id"),
)

bulk_calls = Table(  # requests that carry several calls
    "bulk_calls",
    metadata,
    Column("id", Uuid, primary_key=True),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False),
    Column("runner_id", BigInteger, nullable=False, comment="who sends it, and may write its answer"),
    Column(
        "call_ids",
        ARRAY(BigInteger),
        nullable=False,
        comment="its members, rows of provider_calls, in the order of the request",
    ),
    Column("names", ARRAY(Text), comment="the members' ids; null: they are found by their place"),
    Column("http_status", SmallInteger),
    Column("response_headers", JSONB),
    Column("response_body", LargeBinary, comment="the whole answer, once for all members"),
    _now("created_at"),
    _time("received_at"),
    Column("body_bytes", BigInteger, comment="of a body that was taken out"),
    Column("body_sha256", LargeBinary, comment="of a body that was taken out"),
    _time("body_removed_at"),
    Column("callback_token", Text, unique=True),
    _time("token_expires_at"),
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
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("inputs", LargeBinary, comment="JSON: name -> text, as the model saw it; personal data"),
    Column("body_bytes", BigInteger, comment="of inputs that were taken out"),
    _time("body_removed_at"),
)

enrichment_results = Table(
    "enrichment_results",
    metadata,
    _id(),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("call_id", BigInteger),
    Column("outcome", Text, nullable=False),
    Column("payload", JSONB, comment="the whole answer"),
    Column("fields", JSONB, nullable=False, comment="what `provides` mapped out of it"),
    Column("rejected", JSONB, comment="field -> {value, reason, others}: what of the answer does not compete"),
    Column(
        "citations",
        JSONB,
        comment="field -> [{at, input, quote, start}]: where the grounded values of a model's answer stand",
    ),
    _now("fetched_at"),
    _one_of("outcome", Outcome),
    UniqueConstraint("item_id", "workflow_slug"),
    Index(None, "batch_id", "workflow_slug"),
)

callback_inbox = Table(  # raw bytes first; parsing happens later, from here
    "callback_inbox",
    metadata,
    _id(),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("call_id", BigInteger, nullable=False),
    Column("content_type", Text),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("body_bytes", BigInteger, comment="of a body that was taken out"),
    _time("body_removed_at"),
    Column("status", Text, nullable=False, server_default=InboxStatus.NEW.value),
    Column("error", Text),
    _now("received_at"),
    _time("processed_at"),
    _readings(),
    Column("bulk_id", Uuid, comment="the request that it answers; its first member's row has the bytes"),
    _one_of("status", InboxStatus),
    UniqueConstraint("call_id", "body_sha256"),
    Index(
        "ix_callback_inbox_webhook_id",
        "client_id",
        text("(headers ->> 'webhook-id')"),
        postgresql_where=text("(headers ->> 'webhook-id') is not null"),
    ),
    Index("ix_callback_inbox_new", "batch_id", "id", postgresql_where=text("status = 'new'")),
)

enrichment_results_log = Table(  # every attempt, append only
    "enrichment_results_log",
    metadata,
    _id(),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("call_id", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("outcome", Text),
    Column("error_class", Text),
    Column("message", Text),
    Column("http_status", SmallInteger),
    Column("cost", MONEY),
    Column("duration_ms", Integer),
    _now("created_at"),
    Index(None, "batch_id", "workflow_slug"),
)

company_play_step_completions = Table(  # success per item and step, as the agency's plays ask for it
    "company_play_step_completions",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("company_key", Text),
    Column("overall_step_number", Integer, nullable=False),
    _now("completed_at"),
    Index(None, "client_id", "company_key"),
)

budgets = Table(  # reserved before it is spent; the smallest of all that match binds
    "budgets",
    metadata,
    _id(),
    _client(),
    Column("batch_id", BigInteger),
    Column("workflow_slug", Text),
    Column("amount", MONEY, nullable=False),
    Column("reserved", MONEY, nullable=False, server_default=text("0")),
    Column("spent", MONEY, nullable=False, server_default=text("0")),
    _now("updated_at"),
    UniqueConstraint("client_id", "batch_id", "workflow_slug", postgresql_nulls_not_distinct=True),
    CheckConstraint("amount >= 0", name="amount"),
)

item_edits = Table(  # a person's correction of one value: append only, the latest per field beats every source
    "item_edits",
    metadata,
    _id(),
    _tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("field", Text, nullable=False, comment="a column of final_leads"),
    Column("value", Text, comment="null: the value is to be empty, whatever the sources say"),
    Column("edited_by", Text, nullable=False),
    Column("note", Text),
    _now("edited_at"),
    Index(None, "batch_id", "item_id"),
)

operator_actions = Table(  # who changed what: append only; no foreign keys, for it outlives what was changed
    "operator_actions",
    metadata,
    _id(),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False, comment="kind:name, as cli:ada and sensor:inbox"),
    Column("action", Text, nullable=False, comment="noun.verb, as budget.set"),
    Column("client_id", BigInteger, comment="whom it concerns; null: no client"),
    Column("batch_id", BigInteger, comment="which batch it concerns; null: none"),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, comment="slug, key or number of what was changed"),
    Column("before", JSONB, comment="what it was, as far as it changed: bounded, no secret, no person's value"),
    Column("after", JSONB, comment="what it is then, likewise"),
    Index(None, "client_id", "id"),
    Index(None, "batch_id", "id"),
)

step_stops = Table(  # why a step of a batch sends nothing: one row for all its PENDING states
    "step_stops",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True),
    _tenant(),
    Column("cause", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("variable", Text, comment="the environment variable that is missing, or whose key was refused"),
    Column("process", Text, nullable=False, comment="who found out: `enrich up`, or host:pid"),
    Column("until_at", DateTime(timezone=True), comment="when it may go on by itself; null: not by itself"),
    _now("stopped_at"),
)

step_times = Table(  # where the time of a batch's runs went, step by step: what `enrich stats` names the bottleneck by
    "step_times",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True, comment="empty: all steps of its runs"),
    Column("spent_on", Text, primary_key=True, comment="rate, slots, provider, ours ...; `run`: the runs' own length"),
    _tenant(),
    Column("seconds", Float, nullable=False),
)

suppressions = Table(  # people and companies that may not be bought, called or written to
    "suppressions",
    metadata,
    _id(),
    Column("client_id", BigInteger, ForeignKey("clients.id"), comment="null: for every client"),
    Column("kind", Text, nullable=False, comment="email, domain, phone, linkedin or person"),
    Column("value", Text, comment="as it was kept before hashes were, until it is hashed; then null"),
    Column("hash", LargeBinary, nullable=False, comment="of kind and value, keyed by the pepper"),
    Column("sealed", LargeBinary, comment="the value, encrypted by a key of the pepper's"),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False, server_default=text("''")),
    _now("created_at"),
    _time("expires_at"),
    UniqueConstraint("client_id", "hash", postgresql_nulls_not_distinct=True),
    Index(None, "hash"),
)

suppression_state = Table(  # one row: what a process has to know to compare suppressions, and whether it still does
    "suppression_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False, server_default=text("0"), comment="grows with every change"),
    Column("mark", LargeBinary, comment="of the pepper that the hashes were made with; null: there is none"),
    CheckConstraint("id = 1", name="single"),
)

rate_limits = Table(  # GCRA: the theoretical arrival time of the next call per provider key and window
    "rate_limits",
    metadata,
    Column("limit_key", Text, primary_key=True),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("paused_until", DateTime(timezone=True), comment="the provider said to wait, or the breaker is open"),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="consecutive, for the breaker"),
    Column("paused_because", Text, comment="'<cause>: <what the provider said>', while paused_until is to come"),
    Column(
        "served", Float, nullable=False, server_default=text("0"), comment="`served` of the client whose turn it is"
    ),
)

rate_shares = Table(  # how much of a provider key's time each client has had: whoever had least is next
    "rate_shares",
    metadata,
    Column("limit_key", Text, primary_key=True),
    Column("client_id", BigInteger, primary_key=True, autoincrement=False),
    Column("served", Float, nullable=False, comment="seconds of the key by its weight"),
    Column("level", Float, nullable=False, comment="`served` of the run of this client whose turn it is"),
)

rate_queue = Table(  # the runs that use a provider key now, and which of them wait for their turn
    "rate_queue",
    metadata,
    Column("limit_key", Text, primary_key=True),
    Column("runner_id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", BigInteger, nullable=False),
    Column("served", Float, nullable=False, comment="seconds by its batch's priority, as in rate_shares"),
    Column("seconds", Float, nullable=False, comment="how much it asked for last"),
    Column("waits", Boolean, nullable=False),
    Column("until_at", DateTime(timezone=True), nullable=False, comment="until when it waits, or has what it took"),
)

rate_counts = Table(  # calls per provider key and hour, for limits per day
    "rate_counts",
    metadata,
    Column("limit_key", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True, comment="when the hour begins"),
    Column("calls", Integer, nullable=False),
)
