"""Why a step of a batch sends nothing, and why a provider rests, are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "step_stops",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("variable", sa.Text(), comment="the environment variable that is missing, or whose key was refused"),
        sa.Column("process", sa.Text(), nullable=False, comment="who found out: `enrich up`, or host:pid"),
        sa.Column("until_at", sa.DateTime(timezone=True), comment="when it may go on by itself; null: not by itself"),
        sa.Column("stopped_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "workflow_slug", name="pk_step_stops"),
    )
    op.add_column(
        "rate_limits",
        sa.Column(
            "paused_because",
            sa.Text(),
            comment="'<cause>: <what the provider said>', while paused_until is to come",
        ),
    )


def downgrade() -> None:
    op.drop_column("rate_limits", "paused_because")
    op.drop_table("step_stops")
