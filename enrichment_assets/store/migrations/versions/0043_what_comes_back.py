"""What comes back of deliveries: connections, bytes, events, and what they stop."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.create_table(
        "delivery_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="name of the connection or mailbox"),
        sa.Column("key", sa.Text(), nullable=False, comment="the source's own: the same event has the same"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), comment="null: of none that is known"),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("item_id", sa.BigInteger(), comment="the lead; null: it is not known"),
        sa.Column("destination", sa.Text(), comment="slug of the delivery"),
        sa.Column("external_id", sa.Text(), comment="the destination's id of the record"),
        sa.Column("hash", sa.LargeBinary(), comment="of the address that it is about"),
        sa.Column("actor", sa.Text(), comment="who did it there; null: nobody, or not said"),
        sa.Column("data", JSONB(), nullable=False, comment="field, value, reason and more"),
        sa.Column("followed", sa.Text(), comment="what followed; null: nothing"),
        sa.Column("inbox_id", sa.BigInteger(), comment="the bytes that it was read from"),
        sa.CheckConstraint(
            "kind in ('sent', 'delivered', 'deferred', 'bounced', 'bounced_policy', 'opened', 'clicked', "
            "'replied', 'auto_replied', 'asked_to_stop', 'unsubscribed', 'complained', 'interested', "
            "'not_interested', 'contacted', 'status_changed', 'field_changed', 'deleted', 'noted')",
            name=op.f("ck_delivery_events_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_events")),
        sa.UniqueConstraint("client_id", "source", "key", name=op.f("uq_delivery_events_client_id_source_key")),
    )
    op.create_index(
        op.f("ix_delivery_events_client_id_hash_happened_at"),
        "delivery_events",
        ["client_id", "hash", "happened_at"],
        postgresql_where=sa.text("hash is not null"),
    )
    op.create_index(op.f("ix_delivery_events_client_id_id"), "delivery_events", ["client_id", "id"])
    op.create_index(
        op.f("ix_delivery_events_delivery_id"),
        "delivery_events",
        ["delivery_id"],
        postgresql_where=sa.text("delivery_id is not null"),
    )
    op.create_index(
        op.f("ix_delivery_events_item_id"),
        "delivery_events",
        ["item_id"],
        postgresql_where=sa.text("item_id is not null"),
    )
    op.create_table(
        "event_inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text()),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body_bytes", sa.BigInteger(), comment="of a body that was taken out"),
        sa.Column("body_removed_at", sa.DateTime(timezone=True)),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="sha256 of headers and body"),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("error", sa.Text(), comment="why it is dead"),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True)),
        sa.Column(
            "readings",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="times that reading this body was begun; some may have ended a run",
        ),
        sa.CheckConstraint("status in ('new', 'read', 'dead')", name=op.f("ck_event_inbox_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_inbox")),
        sa.UniqueConstraint("source_id", "fingerprint", name=op.f("uq_event_inbox_source_id_fingerprint")),
    )
    op.create_index("ix_event_inbox_dead", "event_inbox", ["client_id"], postgresql_where=sa.text("status = 'dead'"))
    op.create_index(
        "ix_event_inbox_new", "event_inbox", ["source_id", "id"], postgresql_where=sa.text("status = 'new'")
    )
    op.create_table(
        "delivery_stops",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), comment="of an identity of the person; null: of one delivery"),
        sa.Column("delivery_id", sa.BigInteger(), comment="null: of all to that person"),
        sa.Column("reason", sa.Text(), nullable=False, comment="replied, out of office, or a person's words"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), comment="the event that stopped it; null: a person"),
        sa.Column("stopped_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), comment="null: until somebody lifts it"),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("(hash is null) <> (delivery_id is null)", name=op.f("ck_delivery_stops_about")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_delivery_stops_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_stops")),
    )
    op.create_index(
        op.f("ix_delivery_stops_client_id_hash"),
        "delivery_stops",
        ["client_id", "hash"],
        postgresql_where=sa.text("lifted_at is null and hash is not null"),
    )
    op.create_index(
        op.f("ix_delivery_stops_delivery_id"),
        "delivery_stops",
        ["delivery_id"],
        postgresql_where=sa.text("lifted_at is null and delivery_id is not null"),
    )
    op.create_table(
        "event_sources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="who reads it, as clickup or postmark"),
        sa.Column("token_sha256", sa.LargeBinary(), comment="of the address; null: nothing is posted"),
        sa.Column("secret_variable", sa.Text(), comment="NAME of the variable by which it is signed"),
        sa.Column("settings", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("cursor", JSONB(), comment="how far it was asked; null: it was not"),
        sa.Column("poll_seconds", sa.Integer(), comment="how often it is asked; null: it is not"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        sa.Column("failed_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text(), comment="why it could not be asked or read last; null: it could"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_event_sources_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_sources")),
        sa.UniqueConstraint("name", name=op.f("uq_event_sources_name")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_event_sources_token_sha256")),
    )


def downgrade() -> None:
    op.drop_table("delivery_stops")
    op.drop_table("delivery_events")
    op.drop_table("event_inbox")
    op.drop_table("event_sources")
