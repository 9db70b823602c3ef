"""What a client offers is kept by version, and what a language model's call used by kinds of tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"

_USED = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "searches")
_COMMENTS = {
    "input_tokens": "of all its answered attempts, cached ones among them",
    "cached_input_tokens": "of these, read from the vendor's cache",
    "cache_write_tokens": "of these, written to it",
    "searches": "web searches of the model",
}


def upgrade() -> None:
    op.create_table(
        "client_profiles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="from 1 for each client"),
        sa.Column("profile", JSONB(), nullable=False, comment="domain.client_profiles.ClientProfile"),
        sa.Column("content_hash", sa.Text(), nullable=False, comment="SHA-256 of the profile"),
        sa.Column("set_by", sa.Text(), nullable=False, comment="kind:name, as cli:ada"),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_profiles_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_client_profiles"),
        sa.UniqueConstraint("client_id", "version", name="uq_client_profiles_client_id_version"),
    )
    op.add_column(
        "provider_calls",
        sa.Column("model", sa.Text(), comment="the language model that answered, in its vendor's words"),
    )
    for name in _USED:
        op.add_column("provider_calls", sa.Column(name, sa.BigInteger(), comment=_COMMENTS.get(name)))
    op.add_column(
        "provider_calls",
        sa.Column("cost_basis", sa.Text(), comment="what the last cost follows from: reported, usage or reserved"),
    )
    # Every row's basis is null: nothing is there to be checked.
    op.execute(
        "alter table provider_calls add constraint ck_provider_calls_cost_basis "
        "check (cost_basis in ('reported', 'usage', 'reserved')) not valid"
    )
    op.execute("alter table provider_calls validate constraint ck_provider_calls_cost_basis")


def downgrade() -> None:
    op.drop_constraint("ck_provider_calls_cost_basis", "provider_calls")
    for name in ("cost_basis", *reversed(_USED), "model"):
        op.drop_column("provider_calls", name)
    op.drop_table("client_profiles")
