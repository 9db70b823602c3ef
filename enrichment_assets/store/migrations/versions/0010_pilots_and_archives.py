"""A batch can be a pilot of some rows, be given up, and replace another; what nobody needs any more is archived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_LIMIT = "only so many readable rows of the upload, its first ones; null: all"
_REPLACES = "the batch that was given up for this one"
_ARCHIVED = ("uploads", "enrichment_registry", "enrichment_pipelines")


def upgrade() -> None:
    op.add_column("batches", sa.Column("row_limit", sa.BigInteger, comment=_LIMIT))
    op.add_column("batches", sa.Column("given_up_at", sa.DateTime(timezone=True)))
    op.add_column("batches", sa.Column("replaces", sa.BigInteger, comment=_REPLACES))
    for table in _ARCHIVED:
        op.add_column(table, sa.Column("archived_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    for table in _ARCHIVED:
        op.drop_column(table, "archived_at")
    for column in ("replaces", "given_up_at", "row_limit"):
        op.drop_column("batches", column)
