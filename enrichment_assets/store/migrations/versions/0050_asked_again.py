"""How often a person had a step asked anew for an item: it is part of the key of the step's next call."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    op.add_column(
        "workflow_states",
        sa.Column(
            "asked_again",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="how often a person had it asked anew",
        ),
    )


def downgrade() -> None:
    op.drop_column("workflow_states", "asked_again")
