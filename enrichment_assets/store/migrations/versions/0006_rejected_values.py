"""What is no value of its field is kept beside the fields with its reason, and what a cell says besides has a place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"

_REJECTED_CELL = "field -> {value, reason, others}: what of its cell is not in the column"
_REJECTED_ANSWER = "field -> {value, reason, others}: what of the answer does not compete"
_DETAILS = "what a cell says beside its field's value: phone_type, phone_extension ..."


def upgrade() -> None:
    op.add_column("batch_items", sa.Column("details", JSONB, comment=_DETAILS))
    op.add_column("batch_items", sa.Column("rejected", JSONB, comment=_REJECTED_CELL))
    op.add_column("enrichment_results", sa.Column("rejected", JSONB, comment=_REJECTED_ANSWER))


def downgrade() -> None:
    op.drop_column("enrichment_results", "rejected")
    op.drop_column("batch_items", "rejected")
    op.drop_column("batch_items", "details")
