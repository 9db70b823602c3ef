"""Approvals of drafts: append only, whoever asks."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

# An erasure that is under way may take out a note, which may name the person.
_KEPT = """
create function approvals_are_kept() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if exists (select from person_erasures where finished_at is null)
        and to_jsonb(new) - 'note' = to_jsonb(old) - 'note' then
      return new;
    end if;
  end if;
  raise exception 'approvals is append only: % is refused', tg_op using errcode = 'insufficient_privilege';
end $$;
create trigger kept_from_update before update on approvals for each row execute function approvals_are_kept();
create trigger kept_from_delete before delete or truncate on approvals
  for each statement execute function approvals_are_kept();
"""


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("draft_sha256", sa.LargeBinary(), nullable=False, comment="of the exact bytes"),
        sa.Column("facts_sha256", sa.LargeBinary(), nullable=False, comment="of what the workflow reads of the lead"),
        sa.Column("template_sha256", sa.LargeBinary(), nullable=False, comment="of what it asks"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), comment="of a rejection: why"),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision in ('approved', 'rejected')", name=op.f("ck_approvals_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(
        op.f("ix_approvals_batch_id_item_id_workflow_slug"), "approvals", ["batch_id", "item_id", "workflow_slug"]
    )
    op.execute(_KEPT)


def downgrade() -> None:
    op.drop_table("approvals")
    op.execute("drop function approvals_are_kept()")
