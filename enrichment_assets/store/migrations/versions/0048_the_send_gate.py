"""The send gate: rules of clients, lists, consents, passes, and who is contacted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    op.create_table(
        "gate_contacts",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False, comment="hash of the address, else of the profile"),
        sa.Column("profile", sa.LargeBinary(), comment="hash of the profile"),
        sa.Column("hosts", ARRAY(sa.Text()), nullable=False, comment="of the company"),
        sa.Column("above", ARRAY(sa.Text()), nullable=False, comment="these, and what is above each"),
        sa.Column("company_name", sa.Text(), comment="as compared"),
        sa.Column("simulated", sa.Boolean(), nullable=False, comment="at the simulator: nobody was written to"),
        sa.Column(
            "keys",
            ARRAY(sa.Text()),
            nullable=False,
            comment="of entries in lists that mean it: one that is added later refuses it still",
        ),
        sa.Column("accepts", ARRAY(sa.Text()), comment="consents without which it may not go; null: it needs none"),
        sa.Column("reserved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "workflow_slug", name="pk_gate_contacts"),
    )
    op.create_index("ix_gate_contacts_above", "gate_contacts", ["above"], postgresql_using="gin")
    op.create_index(op.f("ix_gate_contacts_batch_id"), "gate_contacts", ["batch_id"])
    op.create_index(
        op.f("ix_gate_contacts_client_id_company_name"),
        "gate_contacts",
        ["client_id", "company_name"],
        postgresql_where=sa.text("company_name is not null"),
    )
    op.create_index(op.f("ix_gate_contacts_client_id_person"), "gate_contacts", ["client_id", "person"])
    op.create_index(
        op.f("ix_gate_contacts_client_id_profile"),
        "gate_contacts",
        ["client_id", "profile"],
        postgresql_where=sa.text("profile is not null"),
    )
    op.create_index(
        op.f("ix_delivery_identities_client_id_identity_sha256"),
        "delivery_identities",
        ["client_id", "identity_sha256"],
    )
    op.create_table(
        "gate_passes",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("passed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "rule in ('suppressed', 'stopped', 'customer', 'open_deal', 'competitor', 'other_owner', "
            "'country', 'right_person', 'role_current', 'email_verified', 'fresh', "
            "'recently_contacted', 'company_cap')",
            name=op.f("ck_gate_passes_rule"),
        ),
        sa.PrimaryKeyConstraint("item_id", "rule", name="pk_gate_passes"),
    )
    op.create_index(op.f("ix_gate_passes_batch_id"), "gate_passes", ["batch_id"])
    op.create_table(
        "contact_consents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="of an address or profile"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False, comment="where that can be seen"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("obtained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), comment="null: until it is withdrawn"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("kind in ('express', 'published', 'customer')", name=op.f("ck_contact_consents_kind")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_contact_consents_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_consents")),
        sa.UniqueConstraint("client_id", "hash", "kind", name=op.f("uq_contact_consents_client_id_hash_kind")),
    )
    op.create_table(
        "gate_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="domain:<host>, name:<as compared>, person:<hash>"),
        sa.Column("label", sa.Text(), nullable=False, comment="as it is shown"),
        sa.Column("owner", sa.Text(), comment="of an account: whose it is"),
        sa.Column("source", sa.Text(), nullable=False, comment="the file or system that it comes from"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind in ('customers', 'open_deals', 'competitors', 'owners')", name=op.f("ck_gate_entries_kind")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_gate_entries_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_entries")),
        sa.UniqueConstraint("client_id", "key", "kind", name=op.f("uq_gate_entries_client_id_key_kind")),
    )
    op.create_table(
        "gate_rules",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("settings", JSONB(), nullable=False, comment="`on`, and the rule's own"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "rule in ('suppressed', 'stopped', 'customer', 'open_deal', 'competitor', 'other_owner', "
            "'country', 'right_person', 'role_current', 'email_verified', 'fresh', "
            "'recently_contacted', 'company_cap')",
            name=op.f("ck_gate_rules_rule"),
        ),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_gate_rules_client_id")),
        sa.PrimaryKeyConstraint("client_id", "rule", name="pk_gate_rules"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_delivery_identities_client_id_identity_sha256"), "delivery_identities")
    op.drop_table("gate_contacts")
    op.drop_table("gate_passes")
    op.drop_table("contact_consents")
    op.drop_table("gate_entries")
    op.drop_table("gate_rules")
