"""Whose rows a reader role may see. Row level security itself follows each migration: `store/tenancy`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import OID

revision = "0028"
down_revision = "0027"

_WITHOUT_POLICIES = """
do $$
declare one record;
begin
  for one in
    select c.oid::regclass as of_table, p.polname from pg_class c join pg_policy p on p.polrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace
      and p.polname in ('enrich_works', 'enrich_reads', 'enrich_keeps')
  loop
    execute format('drop policy %I on %s', one.polname, one.of_table);
    execute format('alter table %s disable row level security, no force row level security', one.of_table);
  end loop;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "enrich_readers",
        sa.Column("role_name", sa.Text(), nullable=False),
        sa.Column("role_oid", OID(), comment="null: the role is on the workspace's server only"),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("client_slug", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("role_name", name="pk_enrich_readers"),
        sa.UniqueConstraint("role_oid", name="uq_enrich_readers_role_oid"),
    )


def downgrade() -> None:
    op.execute(_WITHOUT_POLICIES)
    op.drop_table("enrich_readers")
