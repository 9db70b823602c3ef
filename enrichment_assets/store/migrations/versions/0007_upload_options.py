"""How a file is to be read is kept with its upload; the same bytes read otherwise are another upload."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"

_OPTIONS = "what a person said of the file: encoding ..."
_READING = "lines_above, bytes_below, sheet"


def upgrade() -> None:
    op.add_column("uploads", sa.Column("options", JSONB, nullable=False, server_default="{}", comment=_OPTIONS))
    op.add_column("uploads", sa.Column("reading", JSONB, nullable=False, server_default="{}", comment=_READING))
    op.drop_constraint("uq_uploads_client_id_sha256", "uploads")
    op.create_unique_constraint("uq_uploads_client_id_sha256_options", "uploads", ["client_id", "sha256", "options"])


def downgrade() -> None:
    op.drop_constraint("uq_uploads_client_id_sha256_options", "uploads")
    op.create_unique_constraint("uq_uploads_client_id_sha256", "uploads", ["client_id", "sha256"])
    op.drop_column("uploads", "reading")
    op.drop_column("uploads", "options")
