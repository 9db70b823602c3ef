"""A submission has a time to be polled apart from its deadline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column(
        "workflow_states",
        sa.Column("next_poll_at", sa.DateTime(timezone=True), comment="IN_PROGRESS: when to ask before the deadline"),
    )
    op.drop_index("ix_workflow_states_deadline", "workflow_states")
    op.create_index(
        "ix_workflow_states_look",
        "workflow_states",
        [sa.text("least(deadline_at, next_poll_at)")],
        postgresql_where=sa.text("status = 'IN_PROGRESS'"),
    )


def downgrade() -> None:
    op.drop_index("ix_workflow_states_look", "workflow_states")
    op.create_index(
        "ix_workflow_states_deadline",
        "workflow_states",
        ["deadline_at"],
        postgresql_where=sa.text("status = 'IN_PROGRESS'"),
    )
    op.drop_column("workflow_states", "next_poll_at")
