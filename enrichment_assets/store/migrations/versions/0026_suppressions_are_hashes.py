"""Suppressions are keyed hashes; what was kept as plain text is hashed by the first process that has the pepper."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_UNIQUE = "uq_suppressions_client_id_hash"


def upgrade() -> None:
    op.create_table(
        "suppression_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "version", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="grows with every change"
        ),
        sa.Column(
            "mark", sa.LargeBinary(), comment="of the pepper that the hashes were made with; null: there is none"
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_suppression_state_single")),
        sa.PrimaryKeyConstraint("id", name="pk_suppression_state"),
    )
    op.execute("insert into suppression_state (id, version) select 1, count(*) from suppressions")
    op.drop_constraint("uq_suppressions_client_id_kind_value", "suppressions")
    op.alter_column("suppressions", "client_id", nullable=True, comment="null: for every client")
    op.alter_column("suppressions", "kind", comment="email, domain, phone, linkedin or person")
    op.alter_column(
        "suppressions",
        "value",
        nullable=True,
        comment="as it was kept before hashes were, until it is hashed; then null",
    )
    op.add_column("suppressions", sa.Column("hash", sa.LargeBinary(), comment="of kind and value, keyed by the pepper"))
    op.add_column(
        "suppressions",
        sa.Column("sealed", sa.LargeBinary(), comment="the value, encrypted by a key of the pepper's"),
    )
    op.add_column("suppressions", sa.Column("actor", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("suppressions", sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.execute("update suppressions set kind = 'linkedin' where kind = 'linkedin_url'")
    # A place for each, which no hash of an identity has: those are 32 bytes long.
    op.execute("update suppressions set hash = decode(md5(kind || chr(31) || value), 'hex')")
    op.alter_column("suppressions", "hash", nullable=False)
    op.create_unique_constraint(_UNIQUE, "suppressions", ["client_id", "hash"], postgresql_nulls_not_distinct=True)
    op.create_index("ix_suppressions_hash", "suppressions", ["hash"])


def downgrade() -> None:
    op.execute("delete from suppressions where value is null or client_id is null")
    op.execute("update suppressions set kind = 'linkedin_url' where kind = 'linkedin'")
    op.drop_index("ix_suppressions_hash", "suppressions")
    op.drop_constraint(_UNIQUE, "suppressions")
    for column in ("expires_at", "actor", "sealed", "hash"):
        op.drop_column("suppressions", column)
    op.alter_column("suppressions", "value", nullable=False, comment="lower case")
    op.alter_column("suppressions", "kind", comment="email, domain or linkedin_url")
    op.alter_column("suppressions", "client_id", nullable=False, comment=None)
    op.create_unique_constraint("uq_suppressions_client_id_kind_value", "suppressions", ["client_id", "kind", "value"])
    op.drop_table("suppression_state")
