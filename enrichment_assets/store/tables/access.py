"""Who may: users with their roles, API keys, and guesses that were made."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from enrichment_assets.domain.access import Role
from enrichment_assets.store.tables.columns import identity, metadata, now, one_of, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN, platform

users = Table(  # who logs in: people of the agency, and of its clients
    "users",
    metadata,
    identity(),
    Column("login", Text, nullable=False, unique=True, comment="lower case", info=STAFF),
    Column("password_hash", Text, comment="argon2id; null: not set yet", info=TECHNICAL),
    Column("sessions", Integer, nullable=False, server_default=text("0"), comment="grows when all sessions end"),
    Column("totp_sealed", LargeBinary, comment="the authenticator's secret, encrypted", info=TECHNICAL),
    Column("totp_step", BigInteger, comment="of the last code that counted; null: not confirmed yet"),
    Column("setup_hash", LargeBinary, comment="of the one-time token that sets a password", info=TECHNICAL),
    time("setup_until"),
    time("disabled_at"),
    time("last_login_at"),
    now("created_at"),
    Index(None, "setup_hash", unique=True, postgresql_where=text("setup_hash is not null")),
    CheckConstraint("login = lower(login)", name="login"),
    info=platform("people who work with the platform, for one client or several"),
)  # fmt: skip

user_roles = Table(  # one role a user and client
    "user_roles",
    metadata,
    identity(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("client_id", BigInteger, ForeignKey("clients.id"), comment="null: for all clients"),
    Column("role", Text, nullable=False, info=OUR_WORD),
    UniqueConstraint("user_id", "client_id", postgresql_nulls_not_distinct=True),
    Index(None, "client_id"),
    one_of("role", Role),
    info=OWN,
)

recovery_codes = Table(  # each stands in for an authenticator once, and is gone then
    "recovery_codes",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, primary_key=True, info=TECHNICAL),
    info=platform("a user's, who may be several clients'"),
)

api_keys = Table(  # keys of the HTTP API; a revoked one stays, for the log names it
    "api_keys",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True, info=SETTING),
    Column("prefix", Text, nullable=False, unique=True, comment="by which it is found", info=TECHNICAL),
    Column("secret_hash", LargeBinary, nullable=False, comment="SHA-256 of its last part", info=TECHNICAL),
    Column("client_id", BigInteger, ForeignKey("clients.id"), comment="null: for all clients"),
    Column("scopes", ARRAY(Text), nullable=False, info=OUR_WORD),
    Column("created_by", Text, nullable=False, info=STAFF),
    now("created_at"),
    time("expires_at"),
    time("revoked_at"),
    time("last_used_at"),
    Index(None, "client_id"),
    info=OWN,
)  # fmt: skip

login_guesses = Table(  # logins that failed lately, by hashes of who tried: how long the next one waits
    "login_guesses",
    metadata,
    Column("subject", LargeBinary, primary_key=True, comment="keyed hash of login, address or device", info=TECHNICAL),
    Column("failures", Integer, nullable=False),
    time("until_at"),
    now("last_at"),
    Index(None, "last_at"),
    info=platform("who tries to log in belongs to nobody yet"),
)

repeated_requests = Table(  # requests to the API with a key of their sender's, for a day: sent again they are done once
    "repeated_requests",
    metadata,
    Column("name", LargeBinary, primary_key=True, comment="SHA-256 of sender and key", info=TECHNICAL),
    Column("asked", LargeBinary, nullable=False, comment="SHA-256 of what was asked", info=TECHNICAL),
    Column("answer", LargeBinary, comment="JSON; null: under way", info=person(Erased.TAKEN_OUT)),
    now("begun_at"),
    Index(None, "begun_at"),
    info=platform("answers to programs and users, of one client or of several, kept for a day"),
)
