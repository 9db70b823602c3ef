"""What a prompt asked about is kept with its call: an answer is read again, and grounded, by the inputs it had."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "prompt_inputs",
        sa.Column(
            "call_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="a row of provider_calls, written with its intent",
        ),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), comment="JSON: name -> text, as the model saw it; personal data"),
        sa.Column("body_bytes", sa.BigInteger(), comment="of inputs that were taken out"),
        sa.Column("body_removed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("call_id", name="pk_prompt_inputs"),
    )


def downgrade() -> None:
    op.drop_table("prompt_inputs")
