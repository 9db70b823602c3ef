"""Clients, what they uploaded, and how their batches are to be worked on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name=op.f("ck_clients_slug")),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
        sa.UniqueConstraint("slug", name="uq_clients_slug"),
    )
    op.create_table(
        "enrichment_registry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("overall_step_number", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("requires", postgresql.JSONB(), nullable=False),
        sa.Column("provides", postgresql.JSONB(), nullable=False),
        sa.Column("run_if", sa.Text()),
        sa.Column("destination_db", sa.Text()),
        sa.Column("destination_table_name", sa.Text()),
        sa.Column("destination_field_mappings", postgresql.JSONB()),
        sa.Column("price", postgresql.JSONB(), nullable=False),
        sa.Column("limits", postgresql.JSONB(), nullable=False),
        sa.Column("deadline_seconds", sa.Float(), nullable=False),
        sa.Column("retry", postgresql.JSONB(), nullable=False),
        sa.Column(
            "definition",
            postgresql.JSONB(),
            nullable=False,
            comment="what the columns above do not hold: templates, mappings, ...",
        ),
        sa.Column("version", sa.Text(), nullable=False, comment="WorkflowDefinition.version()"),
        sa.Column(
            "builtin_version",
            sa.Text(),
            comment="version of the YAML file this row was seeded from; null: added by a user",
        ),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrichment_registry"),
        sa.UniqueConstraint("workflow_slug", name="uq_enrichment_registry_workflow_slug"),
    )
    op.create_table(
        "client_workflow_configs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "secrets",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="purpose -> environment variable NAME",
        ),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_workflow_configs_client_id"),
        sa.ForeignKeyConstraint(
            ["workflow_slug"], ["enrichment_registry.workflow_slug"], name="fk_client_workflow_configs_workflow_slug"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_client_workflow_configs"),
        sa.UniqueConstraint("client_id", "workflow_slug", name="uq_client_workflow_configs_client_id_workflow_slug"),
    )
    op.create_table(
        "enrichment_pipelines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), comment="null: a built-in pipeline every client can use"),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False, comment="PipelineDefinition"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_enrichment_pipelines_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_enrichment_pipelines"),
        sa.UniqueConstraint(
            "client_id", "slug", name="uq_enrichment_pipelines_client_id_slug", postgresql_nulls_not_distinct=True
        ),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("delimiter", sa.Text(), nullable=False),
        sa.Column(
            "columns",
            postgresql.JSONB(),
            nullable=False,
            comment="[{name: header cell as uploaded, key: unique key, field: identity column or null}]",
        ),
        sa.Column("row_count", sa.BigInteger(), nullable=False, comment="data rows = item rows + rejected rows"),
        sa.Column("rejected_count", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="cli, inbox or api"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_uploads_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.UniqueConstraint("client_id", "sha256", name="uq_uploads_client_id_sha256"),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("batch_key", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("upload_id", sa.BigInteger(), nullable=False),
        sa.Column("pipeline_slug", sa.Text(), nullable=False),
        sa.Column("blueprint", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("items_created_at", sa.DateTime(timezone=True)),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("extracted_at", sa.DateTime(timezone=True)),
        sa.Column(
            "resume_at",
            sa.DateTime(timezone=True),
            comment="when the sequencer should look at this batch again; null: a callback or a person moves it",
        ),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("batch_key ~ '^[a-z0-9][a-z0-9._-]{0,199}$'", name=op.f("ck_batches_batch_key")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_batches_client_id"),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name="fk_batches_upload_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("batch_key", name="uq_batches_batch_key"),
    )
    op.create_table(
        "upload_rejections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("upload_id", sa.BigInteger(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False, comment="1-based data row"),
        sa.Column("line_number", sa.BigInteger(), nullable=False, comment="1-based physical line where the row starts"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False, comment="the row's text, at most 10,000 characters"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_upload_rejections_client_id"),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name="fk_upload_rejections_upload_id"),
        sa.PrimaryKeyConstraint("id", name="pk_upload_rejections"),
        sa.UniqueConstraint("upload_id", "row_number", name="uq_upload_rejections_upload_id_row_number"),
    )


def downgrade() -> None:
    op.drop_table("upload_rejections")
    op.drop_table("batches")
    op.drop_table("uploads")
    op.drop_table("enrichment_pipelines")
    op.drop_table("client_workflow_configs")
    op.drop_table("enrichment_registry")
    op.drop_table("clients")
