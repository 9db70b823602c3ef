"""Requests to the API that came with a key of their sender's, for a day: sent again they are answered and not done."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    op.create_table(
        "repeated_requests",
        sa.Column("name", sa.LargeBinary(), nullable=False, comment="SHA-256 of sender and key"),
        sa.Column("asked", sa.LargeBinary(), nullable=False, comment="SHA-256 of what was asked"),
        sa.Column("answer", sa.LargeBinary(), comment="JSON; null: under way"),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_repeated_requests")),
    )
    op.create_index(op.f("ix_repeated_requests_begun_at"), "repeated_requests", ["begun_at"])


def downgrade() -> None:
    op.drop_table("repeated_requests")
