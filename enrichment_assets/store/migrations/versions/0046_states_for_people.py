"""An index on the few states that wait for a person, for the page that shows what does."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.create_index(
        "ix_workflow_states_person",
        "workflow_states",
        ["batch_id"],
        postgresql_where=sa.text("status in ('FAILED', 'AMBIGUOUS')"),
    )


def downgrade() -> None:
    op.drop_index("ix_workflow_states_person", "workflow_states")
