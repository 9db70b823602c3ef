"""Users with roles, API keys, logins that failed; and the log of changes is append only, whoever asks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"

# An erasure that is under way may black out a person whom a free text names.
_KEPT = """
create function operator_actions_are_kept() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if exists (select from person_erasures where finished_at is null)
        and (new.id, new.at, new.actor, new.action, new.client_id, new.batch_id, new.kind)
        is not distinct from (old.id, old.at, old.actor, old.action, old.client_id, old.batch_id, old.kind) then
      return new;
    end if;
  end if;
  raise exception 'operator_actions is append only: % is refused', tg_op using errcode = 'insufficient_privilege';
end $$;
create trigger kept_from_update before update on operator_actions
  for each row execute function operator_actions_are_kept();
create trigger kept_from_delete before delete or truncate on operator_actions
  for each statement execute function operator_actions_are_kept();
"""


def upgrade() -> None:
    op.create_table(
        "login_guesses",
        sa.Column("subject", sa.LargeBinary(), nullable=False, comment="keyed hash of login, address or device"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True)),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_guesses")),
    )
    op.create_index(op.f("ix_login_guesses_last_at"), "login_guesses", ["last_at"])
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("login", sa.Text(), nullable=False, comment="lower case"),
        sa.Column("password_hash", sa.Text(), comment="argon2id; null: not set yet"),
        sa.Column(
            "sessions", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="grows when all sessions end"
        ),
        sa.Column("totp_sealed", sa.LargeBinary(), comment="the authenticator's secret, encrypted"),
        sa.Column(
            "totp_step",
            sa.BigInteger(),
            nullable=True,
            comment="of the last code that counted; null: not confirmed yet",
        ),
        sa.Column("setup_hash", sa.LargeBinary(), comment="of the one-time token that sets a password"),
        sa.Column("setup_until", sa.DateTime(timezone=True)),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("last_login_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("login = lower(login)", name=op.f("ck_users_login")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_index(
        op.f("ix_users_setup_hash"),
        "users",
        ["setup_hash"],
        unique=True,
        postgresql_where=sa.text("setup_hash is not null"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False, comment="by which it is found"),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of its last part"),
        sa.Column("client_id", sa.BigInteger(), comment="null: for all clients"),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_api_keys_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index(op.f("ix_api_keys_client_id"), "api_keys", ["client_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("user_id", "hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "user_roles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), comment="null: for all clients"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role in ('owner', 'operator', 'reviewer', 'reader')", name=op.f("ck_user_roles_role")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_user_roles_client_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_roles")),
        sa.UniqueConstraint(
            "user_id", "client_id", name=op.f("uq_user_roles_user_id_client_id"), postgresql_nulls_not_distinct=True
        ),
    )
    op.create_index(op.f("ix_user_roles_client_id"), "user_roles", ["client_id"])
    op.execute(_KEPT)


def downgrade() -> None:
    op.execute("drop trigger kept_from_update on operator_actions")
    op.execute("drop trigger kept_from_delete on operator_actions")
    op.execute("drop function operator_actions_are_kept()")
    for table in ("user_roles", "recovery_codes", "api_keys", "users", "login_guesses"):
        op.drop_table(table)
