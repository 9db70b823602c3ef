"""Bodies of old answers may be taken out: their sizes and hashes stay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    for table in ("provider_calls", "bulk_calls"):
        op.add_column(table, sa.Column("body_bytes", sa.BigInteger(), comment="of a body that was taken out"))
        op.add_column(table, sa.Column("body_sha256", sa.LargeBinary(), comment="of a body that was taken out"))
        op.add_column(table, sa.Column("body_removed_at", sa.DateTime(timezone=True)))
    op.add_column("callback_inbox", sa.Column("body_bytes", sa.BigInteger(), comment="of a body that was taken out"))
    op.add_column("callback_inbox", sa.Column("body_removed_at", sa.DateTime(timezone=True)))
    op.alter_column("callback_inbox", "body", nullable=True)


def downgrade() -> None:
    op.execute("update callback_inbox set body = '' where body is null")
    op.alter_column("callback_inbox", "body", nullable=False)
    for table, columns in (
        ("callback_inbox", ("body_removed_at", "body_bytes")),
        ("bulk_calls", ("body_removed_at", "body_sha256", "body_bytes")),
        ("provider_calls", ("body_removed_at", "body_sha256", "body_bytes")),
    ):
        for column in columns:
            op.drop_column(table, column)
