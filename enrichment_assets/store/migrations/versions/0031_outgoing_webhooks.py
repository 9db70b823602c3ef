"""Clients' servers are told of batches and leads: their addresses, an outbox of events, and the messages."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

revision = "0031"
down_revision = "0030"

_TIME = sa.DateTime(timezone=True)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _created() -> sa.Column[datetime]:
    return sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "outgoing_webhooks",
        _id(),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", JSONB, nullable=False, comment="names of the events that it is told of"),
        sa.Column("secret_variable", sa.Text(), nullable=False, comment="NAME of the variable with the secret"),
        sa.Column("previous_variable", sa.Text(), comment="likewise, of the secret before"),
        sa.Column("previous_until", _TIME, comment="until when messages are signed with that one too"),
        sa.Column("leads_per_message", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        _created(),
        sa.Column("disabled_at", _TIME, comment="nothing is sent; events are not laid out"),
        sa.Column("disabled_reason", sa.Text()),
        sa.Column("failing_since", _TIME, comment="of the first failure after the last message that arrived"),
        sa.Column("rests_until", _TIME, comment="it has asked to be left alone until then"),
        sa.Column("arrived_at", _TIME),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_webhooks"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_outgoing_webhooks_client_id"),
        sa.UniqueConstraint("name", name="uq_outgoing_webhooks_name"),
    )
    op.create_table(
        "outgoing_events",
        _id(),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("item_id", sa.BigInteger(), comment="the lead that it is about; null: it is about none"),
        sa.Column("type", sa.Text(), nullable=False, comment="as lead.ready"),
        sa.Column("key", sa.Text(), comment="what happens once has one event; null: of a lead"),
        sa.Column("occurred_at", _TIME, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("data", JSONB, comment="as it is told; null: it was taken out"),
        sa.Column(
            "bytes", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="about how long the data is"
        ),
        sa.Column("laid_out_at", _TIME, comment="when messages were made of it"),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_events"),
        sa.UniqueConstraint("key", name="uq_outgoing_events_key"),
    )
    op.create_index("ix_outgoing_events_id", "outgoing_events", ["id"], postgresql_where=sa.text("laid_out_at is null"))
    op.create_index("ix_outgoing_events_client_id_id", "outgoing_events", ["client_id", "id"])
    op.create_index("ix_outgoing_events_batch_id_item_id", "outgoing_events", ["batch_id", "item_id"])
    op.create_table(
        "outgoing_leads",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="hash of what was told"),
        sa.PrimaryKeyConstraint("batch_id", "item_id", name="pk_outgoing_leads"),
    )
    op.create_table(
        "outgoing_messages",
        _id(),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "message_id",
            UUID(as_uuid=True),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="the receiver's key against doubles: the same in every attempt",
        ),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("events", ARRAY(sa.BigInteger()), nullable=False, comment="ids of its events, in order"),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", _TIME, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("claimed_until", _TIME, comment="somebody sends it; after that it is anybody's again"),
        _created(),
        sa.Column("ended_at", _TIME),
        sa.Column("last_status", sa.SmallInteger(), comment="HTTP status of the last answer; null: there was none"),
        sa.Column("last_error", sa.Text()),
        sa.CheckConstraint(
            "state in ('waiting', 'arrived', 'given_up', 'withheld')", name=op.f("ck_outgoing_messages_state")
        ),
        sa.CheckConstraint("cardinality(events) > 0", name=op.f("ck_outgoing_messages_events")),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_messages"),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["outgoing_webhooks.id"],
            name="fk_outgoing_messages_webhook_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("message_id", name="uq_outgoing_messages_message_id"),
    )
    op.create_index(
        "ix_outgoing_messages_due",
        "outgoing_messages",
        ["webhook_id", "due_at", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_outgoing_messages_webhook_id_id", "outgoing_messages", ["webhook_id", "id"])


def downgrade() -> None:
    for table in ("outgoing_messages", "outgoing_leads", "outgoing_events", "outgoing_webhooks"):
        op.drop_table(table)
