"""Domains are checked before mail leaves in their name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.create_table(
        "mail_domain_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False, comment="of the address in From"),
        sa.Column("way", sa.Text(), nullable=False, comment="through whom, as google or smtp.acme.com; empty: unsaid"),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("stops", ARRAY(sa.Text()), nullable=False, comment="codes for which it did not pass"),
        sa.Column("findings", JSONB(), nullable=False, comment="code, weight, text, advice, record"),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.Column("accepted_by", sa.Text(), comment="actor"),
        sa.Column("accepted_reason", sa.Text()),
        sa.Column("accepted_stops", ARRAY(sa.Text()), comment="what was accepted: more than that stops again"),
        sa.CheckConstraint(
            "(accepted_at is null) = (accepted_stops is null)", name=op.f("ck_mail_domain_checks_accepted")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_mail_domain_checks_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_domain_checks")),
        sa.UniqueConstraint("client_id", "domain", "way", name=op.f("uq_mail_domain_checks_client_id_domain_way")),
    )


def downgrade() -> None:
    op.drop_table("mail_domain_checks")
