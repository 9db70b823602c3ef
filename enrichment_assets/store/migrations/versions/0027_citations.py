"""Where a model's grounded values stand in the inputs is kept beside its answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"

_CITATIONS = "field -> [{at, input, quote, start}]: where the grounded values of a model's answer stand"


def upgrade() -> None:
    op.add_column("enrichment_results", sa.Column("citations", JSONB, comment=_CITATIONS))


def downgrade() -> None:
    op.drop_column("enrichment_results", "citations")
