"""By what a client's earlier leads are known again, for batches that ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.create_table(
        "known_identities",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "hash",
            sa.LargeBinary(),
            nullable=False,
            comment="of kind and value, keyed by the pepper, as suppressions are",
        ),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "compared",
            sa.Boolean(),
            nullable=False,
            comment="by it the item itself is looked up; false: it is only how later ones may know it",
        ),
        sa.PrimaryKeyConstraint("client_id", "hash", "item_id", name=op.f("pk_known_identities")),
    )
    op.create_index(op.f("ix_known_identities_batch_id_item_id"), "known_identities", ["batch_id", "item_id"])
    op.create_table(
        "known_batches",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "simulated",
            sa.Boolean(),
            nullable=False,
            comment="its leads are known to batches of its own world alone",
        ),
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="of the pepper of its hashes"),
        sa.Column("last_item", sa.BigInteger(), nullable=False, comment="items up to this one were read"),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_known_batches")),
    )
    op.create_index(op.f("ix_known_batches_client_id"), "known_batches", ["client_id"])


def downgrade() -> None:
    op.drop_table("known_batches")
    op.drop_table("known_identities")
