"""Campaigns of services that send for us are made from files, once, and activated by people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0045"
down_revision = "0044"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "outreach_campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False, comment="as instantly"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="ours: stands in its name there"),
        sa.Column("definition", JSONB(), nullable=False, comment="what its file says"),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False, comment="of what was sent, or is to be"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), comment="its id there; null: it is not known"),
        sa.Column("status_code", sa.Integer(), comment="as the service said last"),
        sa.Column("error", sa.Text(), comment="why it was not made or changed; null: it was"),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("claimed_until", _TIME),
        sa.Column("seen_at", _TIME),
        sa.Column("activated_by", sa.Text()),
        sa.Column("activated_at", _TIME),
        sa.CheckConstraint("state in ('intended', 'made', 'unknown')", name=op.f("ck_outreach_campaigns_state")),
        sa.PrimaryKeyConstraint("id", name="pk_outreach_campaigns"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_outreach_campaigns_client_id"),
        sa.UniqueConstraint("client_id", "service", "name", name="uq_outreach_campaigns_client_id_service_name"),
    )


def downgrade() -> None:
    op.drop_table("outreach_campaigns")
