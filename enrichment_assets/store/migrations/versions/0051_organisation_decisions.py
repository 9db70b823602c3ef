"""What people decided about organisations: which names are one, and which stand for themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    op.create_table(
        "organisation_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("alias_key", sa.Text(), nullable=False, comment="as name:acme or host:acme.com"),
        sa.Column("other_key", sa.Text(), comment="with which it is one; null: it stands alone"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(kind = 'join') = (other_key is not null)", name=op.f("ck_organisation_decisions_other_key")
        ),
        sa.CheckConstraint("kind in ('join', 'apart')", name=op.f("ck_organisation_decisions_kind")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_organisation_decisions_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_decisions")),
    )
    op.create_index(op.f("ix_organisation_decisions_client_id"), "organisation_decisions", ["client_id"])


def downgrade() -> None:
    op.drop_table("organisation_decisions")
