"""Clients have weights and batches priorities, and shared rates go round by them; where a run's time goes is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"


def upgrade() -> None:
    op.add_column(
        "clients",
        sa.Column(
            "weight",
            sa.Float(),
            server_default=sa.text("1"),
            nullable=False,
            comment="turns beside other clients' at shared rates",
        ),
    )
    op.create_check_constraint(op.f("ck_clients_weight"), "clients", "weight >= 0.01 and weight <= 100")
    op.add_column(
        "batches",
        sa.Column(
            "priority",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="among the batches of its client: -1 low, 0 normal, 1 high",
        ),
    )
    op.add_column(
        "rate_limits",
        sa.Column(
            "served",
            sa.Float(),
            server_default=sa.text("0"),
            nullable=False,
            comment="`served` of the client whose turn it is",
        ),
    )
    op.create_table(
        "rate_shares",
        sa.Column("limit_key", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("served", sa.Float(), nullable=False, comment="seconds of the key by its weight"),
        sa.Column("level", sa.Float(), nullable=False, comment="`served` of the run of this client whose turn it is"),
        sa.PrimaryKeyConstraint("limit_key", "client_id", name=op.f("pk_rate_shares")),
    )
    op.create_table(
        "rate_queue",
        sa.Column("limit_key", sa.Text(), nullable=False),
        sa.Column("runner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("served", sa.Float(), nullable=False, comment="seconds by its batch's priority, as in rate_shares"),
        sa.Column("seconds", sa.Float(), nullable=False, comment="how much it asked for last"),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column(
            "until_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="until when it waits, or has what it took",
        ),
        sa.PrimaryKeyConstraint("limit_key", "runner_id", name=op.f("pk_rate_queue")),
    )
    op.create_table(
        "step_times",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False, comment="empty: all steps of its runs"),
        sa.Column(
            "spent_on",
            sa.Text(),
            nullable=False,
            comment="rate, slots, provider, ours ...; `run`: the runs' own length",
        ),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "workflow_slug", "spent_on", name=op.f("pk_step_times")),
    )


def downgrade() -> None:
    op.drop_table("step_times")
    op.drop_table("rate_queue")
    op.drop_table("rate_shares")
    op.drop_column("rate_limits", "served")
    op.drop_column("batches", "priority")
    op.drop_constraint(op.f("ck_clients_weight"), "clients")
    op.drop_column("clients", "weight")
