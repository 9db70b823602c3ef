"""Deliveries: what stands for a lead at each destination, and which leads of a batch go there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False, comment="slug of the delivery workflow"),
        sa.Column(
            "target",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="which place of the destination: a list, a campaign",
        ),
        sa.Column(
            "simulated",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="at the simulator: what is there says nothing of the real destination",
        ),
        sa.Column("identity_sha256", sa.LargeBinary(), nullable=False, comment="of whom the lead is about"),
        sa.Column("identity_field", sa.Text(), nullable=False, comment="the column that said who"),
        sa.Column("key", sa.Text(), nullable=False, comment="ours there: 40 hex digits"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), comment="its id there"),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="calls that ended"),
        sa.Column("content_sha256", sa.LargeBinary(), comment="of what was written last; null: nothing was"),
        sa.Column("read_sha256", sa.LargeBinary(), comment="of what templates read beside the fields"),
        sa.Column("written", JSONB(), comment="remote name -> value that was written last"),
        sa.Column("intended_sha256", sa.LargeBinary(), comment="of what is on its way"),
        sa.Column("intended_read_sha256", sa.LargeBinary()),
        sa.Column("intended", JSONB(), comment="remote name -> value that is on its way"),
        sa.Column("item_id", sa.BigInteger(), nullable=False, comment="the lead that was delivered last"),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), comment="its last call"),
        sa.Column("version", sa.Text(), nullable=False, comment="of the workflow's configuration"),
        sa.Column("approval_ids", ARRAY(sa.BigInteger()), comment="what it was approved by; null: it needed none"),
        sa.Column("actor", sa.Text(), nullable=False, comment="who asked for it"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("first_delivered_at", sa.DateTime(timezone=True)),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text(), comment="why it is in its state"),
        sa.CheckConstraint(
            "state in ('intended', 'delivered', 'unknown', 'refused', 'deleted', 'stopped')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("key", name=op.f("uq_deliveries_key")),
        sa.UniqueConstraint(
            "client_id",
            "destination",
            "target",
            "simulated",
            "identity_sha256",
            name="uq_deliveries_lead",
        ),
    )
    op.create_index(
        op.f("ix_deliveries_client_id_destination_external_id"),
        "deliveries",
        ["client_id", "destination", "external_id"],
    )
    op.create_index(op.f("ix_deliveries_item_id"), "deliveries", ["item_id"])
    op.create_index(op.f("ix_deliveries_batch_id_destination"), "deliveries", ["batch_id", "destination"])
    op.create_table(
        "delivery_identities",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("identity_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="of `deliveries`"),
        sa.PrimaryKeyConstraint(
            "client_id", "destination", "target", "simulated", "identity_sha256", name="pk_delivery_identities"
        ),
    )
    op.create_index(op.f("ix_delivery_identities_key"), "delivery_identities", ["key"])
    op.create_table(
        "batch_deliveries",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False, comment="the pipeline says `deliver`: nobody has to ask"),
        sa.Column("step", JSONB(), comment="the workflow as it was when leads were planned last"),
        sa.Column("conditions", ARRAY(sa.Text()), comment="further ones of whoever asked"),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True)),
        sa.Column("planned_for", sa.DateTime(timezone=True), comment="extracted_at of the leads that were planned"),
        sa.Column("resume_at", sa.DateTime(timezone=True), comment="when something is due; null: nothing is"),
        sa.PrimaryKeyConstraint("batch_id", "workflow_slug", name=op.f("pk_batch_deliveries")),
    )
    op.create_index(
        "ix_batch_deliveries_due",
        "batch_deliveries",
        ["resume_at"],
        postgresql_where=sa.text("resume_at is not null"),
    )
    op.create_index(
        "ix_batch_deliveries_automatic", "batch_deliveries", ["batch_id"], postgresql_where=sa.text("automatic")
    )
    op.create_table(
        "planned_deliveries",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="of `deliveries`"),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("identity_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("identity_field", sa.Text(), nullable=False),
        sa.Column("identities", ARRAY(sa.LargeBinary()), nullable=False, comment="hashes of all by whom it is known"),
        sa.Column("lead", JSONB(), nullable=False, comment="the columns that the delivery reads"),
        sa.Column("fields", JSONB(), nullable=False, comment="remote name -> value"),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("read_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("approval_ids", ARRAY(sa.BigInteger()), comment="what it was approved by; null: it needs none"),
        sa.Column("planned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "workflow_slug", name=op.f("pk_planned_deliveries")),
    )
    op.create_index(
        op.f("ix_planned_deliveries_batch_id_workflow_slug"), "planned_deliveries", ["batch_id", "workflow_slug"]
    )


def downgrade() -> None:
    op.drop_table("planned_deliveries")
    op.drop_table("batch_deliveries")
    op.drop_table("delivery_identities")
    op.drop_table("deliveries")
