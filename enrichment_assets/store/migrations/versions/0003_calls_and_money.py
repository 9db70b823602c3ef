"""Calls to providers, what they answered, and what limits them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "callback_inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text()),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status in ('new', 'applied', 'superseded', 'dead')", name=op.f("ck_callback_inbox_status")),
        sa.PrimaryKeyConstraint("id", name="pk_callback_inbox"),
        sa.UniqueConstraint("call_id", "body_sha256", name="uq_callback_inbox_call_id_body_sha256"),
    )
    op.create_index(
        "ix_callback_inbox_new", "callback_inbox", ["batch_id", "id"], postgresql_where=sa.text("status = 'new'")
    )
    op.create_table(
        "provider_calls",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "call_key", sa.Text(), nullable=False, comment="stable per (subject, workflow, config version) of a batch"
        ),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "item_id",
            sa.BigInteger(),
            nullable=False,
            comment="the item that made the call; others of the company share it",
        ),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=False, comment="'item:<id>' or the company key"),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("runner_id", sa.BigInteger()),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("estimated_cost", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "cost", sa.Numeric(precision=18, scale=6), comment="what the answer says it cost; null until settled"
        ),
        sa.Column("http_status", sa.SmallInteger()),
        sa.Column("response_headers", postgresql.JSONB()),
        sa.Column("response_body", sa.LargeBinary()),
        sa.Column("external_id", sa.Text()),
        sa.Column("callback_token", sa.Text()),
        sa.Column("token_expires_at", sa.DateTime(timezone=True)),
        sa.Column("deadline_at", sa.DateTime(timezone=True)),
        sa.Column("error_class", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("received_at", sa.DateTime(timezone=True)),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "state in ('ready', 'intent', 'sent', 'received', 'applied', 'failed', 'ambiguous')",
            name=op.f("ck_provider_calls_state"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provider_calls"),
        sa.UniqueConstraint("call_key", name="uq_provider_calls_call_key"),
        sa.UniqueConstraint("callback_token", name="uq_provider_calls_callback_token"),
    )
    op.create_index("ix_provider_calls_batch_id_workflow_slug", "provider_calls", ["batch_id", "workflow_slug"])
    op.create_index(
        "ix_provider_calls_open",
        "provider_calls",
        ["item_id"],
        postgresql_where=sa.text("state in ('intent', 'received')"),
    )
    op.create_table(
        "rate_limits",
        sa.Column("limit_key", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "paused_until", sa.DateTime(timezone=True), comment="the provider said to wait, or the breaker is open"
        ),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="consecutive, for the breaker",
        ),
        sa.PrimaryKeyConstraint("limit_key", name="pk_rate_limits"),
    )
    op.create_table(
        "budgets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("workflow_slug", sa.Text()),
        sa.Column("amount", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("reserved", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("spent", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_budgets_amount")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_budgets_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_budgets"),
        sa.UniqueConstraint(
            "client_id",
            "batch_id",
            "workflow_slug",
            name="uq_budgets_client_id_batch_id_workflow_slug",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="email, domain or linkedin_url"),
        sa.Column("value", sa.Text(), nullable=False, comment="lower case"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_suppressions_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_suppressions"),
        sa.UniqueConstraint("client_id", "kind", "value", name="uq_suppressions_client_id_kind_value"),
    )


def downgrade() -> None:
    op.drop_table("suppressions")
    op.drop_table("budgets")
    op.drop_table("rate_limits")
    op.drop_table("provider_calls")
    op.drop_table("callback_inbox")
