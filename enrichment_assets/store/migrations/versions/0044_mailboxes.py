"""Mailboxes that mail leaves from, and the mails with their place in a mailbox's day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="in lower case: one mailbox, one cap"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False, comment="as readers see it"),
        sa.Column("settings", postgresql.JSONB(), nullable=False, comment="of its kind"),
        sa.Column("secrets", postgresql.JSONB(), nullable=False, comment="purpose -> NAME of the variable"),
        sa.Column("postal_address", sa.Text(), nullable=False, comment="below each mail"),
        sa.Column("opt_out", sa.Text(), nullable=False, comment="the sentence below each mail"),
        sa.Column("reply_to", sa.Text(), comment="null: replies go to the mailbox"),
        sa.Column("html", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), comment="ISO code, whose holidays count; null: weekends alone"),
        sa.Column("window_from", sa.Time(), server_default=sa.text("'09:00'"), nullable=False),
        sa.Column("window_until", sa.Time(), server_default=sa.text("'17:00'"), nullable=False),
        sa.Column("daily_cap", sa.SmallInteger(), nullable=False),
        sa.Column("domain_cap", sa.SmallInteger(), nullable=False, comment="a day, to one receiving domain"),
        sa.Column("ramp_from", sa.SmallInteger(), comment="on the first day of sending; null: the cap from the start"),
        sa.Column("ramp_step", sa.SmallInteger(), comment="more on each further day of sending"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "judged_from", sa.DateTime(timezone=True), comment="what came back before does not count: it was resumed"
        ),
        sa.Column("paused_at", sa.DateTime(timezone=True), comment="nothing leaves"),
        sa.Column("paused_reason", sa.Text()),
        sa.CheckConstraint("kind in ('smtp', 'gmail', 'service')", name=op.f("ck_mailboxes_kind")),
        sa.CheckConstraint("window_from < window_until", name=op.f("ck_mailboxes_window")),
        sa.CheckConstraint("daily_cap >= 0 and domain_cap > 0", name=op.f("ck_mailboxes_caps")),
        sa.CheckConstraint("(ramp_from is null) = (ramp_step is null)", name=op.f("ck_mailboxes_ramp")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_mailboxes_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint("address", name=op.f("uq_mailboxes_address")),
    )
    op.create_index(op.f("ix_mailboxes_client_id"), "mailboxes", ["client_id"])
    op.create_table(
        "mail_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), comment="null: a reply, which no delivery is"),
        sa.Column("item_id", sa.BigInteger()),
        sa.Column("workflow_slug", sa.Text(), comment="the delivery; null: a reply"),
        sa.Column("delivery_id", sa.BigInteger(), comment="once it is intended"),
        sa.Column(
            "step", sa.SmallInteger(), server_default=sa.text("1"), nullable=False, comment="of its sequence, from 1"
        ),
        sa.Column("recipient", sa.Text(), nullable=False, comment="in normal form"),
        sa.Column("receiving_domain", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), comment="made of the delivery's key: <...@own domain>"),
        sa.Column("thread", sa.BigInteger(), comment="the first mail of its thread; null: it is the first"),
        sa.Column("state", sa.Text(), server_default=sa.text("'planned'"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="of the mailbox's zone: whose cap it counts in"),
        sa.Column("slot", sa.SmallInteger(), comment="its place in that day; null: it has none any more"),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("reply_code", sa.SmallInteger(), comment="what the server said last; null: nothing"),
        sa.Column("reason", sa.Text(), comment="why it is where it is"),
        sa.Column("bounced_at", sa.DateTime(timezone=True)),
        sa.Column("complained_at", sa.DateTime(timezone=True)),
        sa.Column("replied_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('planned', 'sending', 'sent', 'refused', 'unknown', 'dropped')",
            name=op.f("ck_mail_messages_state"),
        ),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name=op.f("fk_mail_messages_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_messages_message_id")),
    )
    op.create_index(
        "uq_mail_messages_place",
        "mail_messages",
        ["mailbox_id", "day", "slot"],
        unique=True,
        postgresql_where=sa.text("slot is not null"),
    )
    op.create_index(
        "uq_mail_messages_item",
        "mail_messages",
        ["item_id", "workflow_slug"],
        unique=True,
        postgresql_where=sa.text("state <> 'dropped' and item_id is not null"),
    )
    op.create_index(op.f("ix_mail_messages_client_id_recipient"), "mail_messages", ["client_id", "recipient"])
    op.create_index(op.f("ix_mail_messages_batch_id"), "mail_messages", ["batch_id"])
    op.create_index(op.f("ix_mail_messages_mailbox_id_sent_at"), "mail_messages", ["mailbox_id", "sent_at"])


def downgrade() -> None:
    op.drop_table("mail_messages")
    op.drop_table("mailboxes")
