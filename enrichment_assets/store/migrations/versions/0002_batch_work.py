"""The items of a batch, who works on them, where they stand, and what was found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "batch_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False, comment="1-based data row; 0 for a child item"),
        sa.Column("parent_item_id", sa.BigInteger()),
        sa.Column(
            "origin_key",
            sa.Text(),
            nullable=False,
            comment="'row:<n>', or '<workflow>:<dedupe key>' for a child: unique in its batch",
        ),
        sa.Column(
            "company_key",
            sa.Text(),
            comment="rule:value of the pipeline's company_identity; null: the row names no company",
        ),
        sa.Column("first_name", sa.Text()),
        sa.Column("last_name", sa.Text()),
        sa.Column("full_name", sa.Text()),
        sa.Column("title", sa.Text()),
        sa.Column("seniority", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("linkedin_url", sa.Text()),
        sa.Column("company_name", sa.Text()),
        sa.Column("company_domain", sa.Text()),
        sa.Column("company_website", sa.Text()),
        sa.Column("company_linkedin_url", sa.Text()),
        sa.Column("company_phone", sa.Text()),
        sa.Column("industry", sa.Text()),
        sa.Column("city", sa.Text()),
        sa.Column("state", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("apollo_contact_id", sa.Text()),
        sa.Column("apollo_account_id", sa.Text()),
        sa.Column(
            "original_data", postgresql.JSONB(), nullable=False, comment="every cell as uploaded, by unique column key"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch_items"),
        sa.UniqueConstraint("batch_id", "origin_key", name="uq_batch_items_batch_id_origin_key"),
    )
    op.create_index("ix_batch_items_batch_id_id", "batch_items", ["batch_id", "id"])
    op.create_table(
        "company_play_step_completions",
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("company_key", sa.Text()),
        sa.Column("overall_step_number", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "workflow_slug", name="pk_company_play_step_completions"),
    )
    op.create_index(
        "ix_company_play_step_completions_client_id_company_key",
        "company_play_step_completions",
        ["client_id", "company_key"],
    )
    op.create_table(
        "enrichment_results",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("call_id", sa.BigInteger()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), comment="the whole answer"),
        sa.Column("fields", postgresql.JSONB(), nullable=False, comment="what `provides` mapped out of it"),
        sa.Column("fetched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("outcome in ('found', 'not_found')", name=op.f("ck_enrichment_results_outcome")),
        sa.PrimaryKeyConstraint("id", name="pk_enrichment_results"),
        sa.UniqueConstraint("item_id", "workflow_slug", name="uq_enrichment_results_item_id_workflow_slug"),
    )
    op.create_index("ix_enrichment_results_batch_id_workflow_slug", "enrichment_results", ["batch_id", "workflow_slug"])
    op.create_table(
        "enrichment_results_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("call_id", sa.BigInteger()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("error_class", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("http_status", sa.SmallInteger()),
        sa.Column("cost", sa.Numeric(precision=18, scale=6)),
        sa.Column("duration_ms", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrichment_results_log"),
    )
    op.create_index(
        "ix_enrichment_results_log_batch_id_workflow_slug", "enrichment_results_log", ["batch_id", "workflow_slug"]
    )
    op.create_table(
        "item_edits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False, comment="a column of final_leads"),
        sa.Column("value", sa.Text(), comment="null: the value is to be empty, whatever the sources say"),
        sa.Column("edited_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("edited_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_item_edits"),
    )
    op.create_index("ix_item_edits_batch_id_item_id", "item_edits", ["batch_id", "item_id"])
    op.create_table(
        "item_leases",
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "fence",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="grows with each claim; every write compares it",
        ),
        sa.Column("runner_id", sa.BigInteger(), comment="null: free"),
        sa.PrimaryKeyConstraint("item_id", name="pk_item_leases"),
    )
    op.create_index("ix_item_leases_batch_id_item_id", "item_leases", ["batch_id", "item_id"])
    op.create_table(
        "workflow_states",
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("reason", sa.Text(), comment="why skipped, missed or failed"),
        sa.Column("error_class", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("call_id", sa.BigInteger()),
        sa.Column("result_id", sa.BigInteger()),
        sa.Column("deadline_at", sa.DateTime(timezone=True)),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), comment="PENDING but not before this time"),
        sa.Column("advanced_at", sa.DateTime(timezone=True), comment="when it last changed status"),
        sa.Column(
            "stored_at", sa.DateTime(timezone=True), comment="when its result reached the configured destination"
        ),
        sa.CheckConstraint("outcome in ('found', 'not_found')", name=op.f("ck_workflow_states_outcome")),
        sa.CheckConstraint(
            "status in ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'SKIPPED', 'FAILED', 'AMBIGUOUS')",
            name=op.f("ck_workflow_states_status"),
        ),
        sa.PrimaryKeyConstraint("item_id", "workflow_slug", name="pk_workflow_states"),
    )
    op.create_index(
        "ix_workflow_states_batch_id_workflow_slug_status", "workflow_states", ["batch_id", "workflow_slug", "status"]
    )
    op.create_index(
        "ix_workflow_states_deadline",
        "workflow_states",
        ["deadline_at"],
        postgresql_where=sa.text("status = 'IN_PROGRESS'"),
    )
    op.create_index(
        "ix_workflow_states_pending",
        "workflow_states",
        ["batch_id", "item_id"],
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_table(
        "runners",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False, comment="host:pid, and the Dagster run id where there is one"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_runners_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runners"),
    )
    # Claims and outcomes rewrite these rows often: room on the page keeps the updates off the indexes.
    for table in ("item_leases", "workflow_states"):
        op.execute(f"alter table {table} set (fillfactor = 70)")


def downgrade() -> None:
    op.drop_table("runners")
    op.drop_table("workflow_states")
    op.drop_table("item_leases")
    op.drop_table("item_edits")
    op.drop_table("enrichment_results_log")
    op.drop_table("enrichment_results")
    op.drop_table("company_play_step_completions")
    op.drop_table("batch_items")
