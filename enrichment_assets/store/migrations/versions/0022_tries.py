"""A batch can be a try: a few rows of one workflow, without an upload, a partition, leads or tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column(
        "batches",
        sa.Column(
            "is_try",
            sa.Boolean,
            nullable=False,
            server_default=sa.text("false"),
            comment="a few rows of one workflow that somebody tries: no partition, no leads, no tables",
        ),
    )
    op.alter_column("batches", "upload_id", nullable=True, comment="null: a try has none")
    op.create_check_constraint("try", "batches", "is_try = (upload_id is null)")


def downgrade() -> None:
    op.execute("delete from batches where is_try")
    op.drop_constraint("try", "batches", type_="check")
    op.alter_column("batches", "upload_id", nullable=False, comment=None)
    op.drop_column("batches", "is_try")
