"""What is watched, what came to pass, and whom it was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="slack, teams, discord, pagerduty, webhook ..."),
        sa.Column("variable", sa.Text(), nullable=False, comment="NAME of the variable with its address"),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="attempts in a row that failed",
        ),
        sa.Column("rests_until", sa.DateTime(timezone=True), comment="nothing is sent before"),
        sa.Column("said", sa.Text(), comment="what it answered last, without its address"),
        sa.Column("said_at", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_channels")),
        sa.UniqueConstraint("kind", "variable", name=op.f("uq_alert_channels_kind_variable")),
    )
    op.create_table(
        "alert_rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), comment="null: of every client"),
        sa.Column("kind", sa.Text(), nullable=False, comment="domain.alerts.kinds.Kind"),
        sa.Column("threshold", sa.Numeric(), comment="in the kind's unit; null: it has none"),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("quiet_from", sa.Time(), comment="from then on nothing is said; null: there are no quiet hours"),
        sa.Column("quiet_until", sa.Time()),
        sa.Column("time_zone", sa.Text(), comment="by whose clocks"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), comment="its incidents stay"),
        sa.ForeignKeyConstraint(["channel_id"], ["alert_channels.id"], name=op.f("fk_alert_rules_channel_id")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_alert_rules_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
    )
    op.create_index(
        "uq_alert_rules_watched",
        "alert_rules",
        ["kind", "client_id", "threshold", "channel_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("removed_at is null"),
    )
    op.create_table(
        "alert_incidents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "key",
            sa.Uuid(),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="by which a channel knows it again",
        ),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), comment="whom it concerns; null: no single client"),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="what it is about, among its rule's incidents: a batch's key, a budget's number ...",
        ),
        sa.Column("summary", sa.Text(), nullable=False, comment="a sentence"),
        sa.Column("is_event", sa.Boolean(), nullable=False, comment="it happened and is over at once"),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "missing_since", sa.DateTime(timezone=True), comment="it is open, and was not found any more since then"
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["rule_id"], ["alert_rules.id"], name=op.f("fk_alert_incidents_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_incidents")),
        sa.UniqueConstraint("key", name=op.f("uq_alert_incidents_key")),
    )
    op.create_index(
        op.f("ix_alert_incidents_rule_id_subject_closed_at"),
        "alert_incidents",
        ["rule_id", "subject", "closed_at"],
        unique=False,
    )
    op.create_index(
        "uq_alert_incidents_open",
        "alert_incidents",
        ["rule_id", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at is null or is_event"),
    )
    op.create_table(
        "alert_notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "unsure", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="attempts that gave no answer"
        ),
        sa.Column("claimed_until", sa.DateTime(timezone=True), comment="somebody sends it now, or died of it"),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("given_up_at", sa.DateTime(timezone=True), comment="it will not be sent"),
        sa.Column("said", sa.Text(), comment="what the channel answered, or why nothing is sent"),
        sa.CheckConstraint("action in ('trigger', 'resolve')", name=op.f("ck_alert_notices_action")),
        sa.ForeignKeyConstraint(["incident_id"], ["alert_incidents.id"], name=op.f("fk_alert_notices_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notices")),
        sa.UniqueConstraint("incident_id", "action", name=op.f("uq_alert_notices_incident_id_action")),
    )
    op.create_index(
        "ix_alert_notices_due",
        "alert_notices",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("sent_at is null and given_up_at is null"),
    )
    op.create_index(
        "ix_callback_inbox_dead",
        "callback_inbox",
        ["client_id"],
        unique=False,
        postgresql_where=sa.text("status = 'dead'"),
    )


def downgrade() -> None:
    op.drop_index("ix_callback_inbox_dead", table_name="callback_inbox", postgresql_where=sa.text("status = 'dead'"))
    op.drop_index(
        "ix_alert_notices_due",
        table_name="alert_notices",
        postgresql_where=sa.text("sent_at is null and given_up_at is null"),
    )
    op.drop_table("alert_notices")
    op.drop_index(
        "uq_alert_incidents_open",
        table_name="alert_incidents",
        postgresql_where=sa.text("closed_at is null or is_event"),
    )
    op.drop_index(op.f("ix_alert_incidents_rule_id_subject_closed_at"), table_name="alert_incidents")
    op.drop_table("alert_incidents")
    op.drop_index(
        "uq_alert_rules_watched",
        table_name="alert_rules",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("removed_at is null"),
    )
    op.drop_table("alert_rules")
    op.drop_table("alert_channels")
