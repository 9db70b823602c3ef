"""Who changed what is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "operator_actions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="kind:name, as cli:ada and sensor:inbox"),
        sa.Column("action", sa.Text(), nullable=False, comment="noun.verb, as budget.set"),
        sa.Column("client_id", sa.BigInteger(), comment="whom it concerns; null: no client"),
        sa.Column("batch_id", sa.BigInteger(), comment="which batch it concerns; null: none"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="slug, key or number of what was changed"),
        sa.Column(
            "before", JSONB(), comment="what it was, as far as it changed: bounded, no secret, no person's value"
        ),
        sa.Column("after", JSONB(), comment="what it is then, likewise"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_actions"),
    )
    op.create_index("ix_operator_actions_client_id_id", "operator_actions", ["client_id", "id"])
    op.create_index("ix_operator_actions_batch_id_id", "operator_actions", ["batch_id", "id"])


def downgrade() -> None:
    op.drop_table("operator_actions")
