"""Batches and their steps can be paused and cancelled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"

_BEFORE = "status in ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'SKIPPED', 'FAILED', 'AMBIGUOUS')"
_NOW = "status in ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'SKIPPED', 'FAILED', 'AMBIGUOUS', 'CANCELLED')"
_CHECK = "ck_workflow_states_status"


def upgrade() -> None:
    op.add_column(
        "batches",
        sa.Column(
            "holds",
            JSONB(),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="workflow slug, or * for all -> {kind: paused or cancelled, reason, actor, at}: none of it is sent",
        ),
    )
    op.add_column("batches", sa.Column("guard_spoke_at", sa.DateTime(timezone=True)))
    op.drop_constraint(_CHECK, "workflow_states")
    op.create_check_constraint(op.f(_CHECK), "workflow_states", _NOW)


def downgrade() -> None:
    op.execute(
        "update workflow_states set status = 'SKIPPED', reason = 'given_up: cancelled' where status = 'CANCELLED'"
    )
    op.drop_constraint(_CHECK, "workflow_states")
    op.create_check_constraint(op.f(_CHECK), "workflow_states", _BEFORE)
    op.drop_column("batches", "guard_spoke_at")
    op.drop_column("batches", "holds")
