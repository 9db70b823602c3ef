"""The send gate: what clients changed of its rules, their lists, consents, passes, and whom they contact."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrichment_assets.domain.gate.countries import Consent
from enrichment_assets.domain.gate.rules import ListKind, Rule
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, Erased, kept, person
from enrichment_assets.store.tables.tenants import OWN

_HASH = kept("a keyed hash: by it alone is known who was written to, or agreed to be")

gate_rules = Table(  # what a client changed of a rule; what is not here is as it comes
    "gate_rules",
    metadata,
    client(),
    Column("rule", Text, nullable=False, info=OUR_WORD),
    Column("settings", JSONB, nullable=False, comment="`on`, and the rule's own", info=SETTING),
    Column("actor", Text, nullable=False, info=STAFF),
    now("changed_at"),
    PrimaryKeyConstraint("client_id", "rule", name="pk_gate_rules"),
    one_of("rule", Rule),
    info=OWN,
)

gate_entries = Table(  # customers, open deals, competitors and accounts of a client: companies, and people by hash
    "gate_entries",
    metadata,
    identity(),
    client(),
    Column("kind", Text, nullable=False, info=OUR_WORD),
    Column(
        "key",
        Text,
        nullable=False,
        comment="domain:<host>, name:<as compared>, person:<hash>",
        info=kept("a company's host or name, or a keyed hash of a person"),
    ),
    Column("label", Text, nullable=False, comment="as it is shown", info=person(Erased.MENTIONS)),
    Column("owner", Text, comment="of an account: whose it is", info=STAFF),
    Column("source", Text, nullable=False, comment="the file or system that it comes from", info=SETTING),
    Column("actor", Text, nullable=False, info=STAFF),
    now("added_at"),
    one_of("kind", ListKind),
    UniqueConstraint("client_id", "key", "kind"),
    info=OWN,
)

contact_consents = Table(  # who agreed to be written to by a client, how, and since when
    "contact_consents",
    metadata,
    identity(),
    client(),
    Column("hash", LargeBinary, nullable=False, comment="of an address or profile", info=_HASH),
    Column("kind", Text, nullable=False, info=OUR_WORD),
    Column("evidence", Text, nullable=False, comment="where that can be seen", info=person(Erased.MENTIONS)),
    Column("actor", Text, nullable=False, info=STAFF),
    Column("obtained_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), comment="null: until it is withdrawn"),
    now("recorded_at"),
    time("withdrawn_at"),
    one_of("kind", Consent),
    UniqueConstraint("client_id", "hash", "kind"),
    info=OWN,
)

gate_passes = Table(  # a person let one lead pass a rule
    "gate_passes",
    metadata,
    Column("item_id", BigInteger, nullable=False),
    Column("rule", Text, nullable=False, info=OUR_WORD),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("reason", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("actor", Text, nullable=False, info=STAFF),
    now("passed_at"),
    PrimaryKeyConstraint("item_id", "rule", name="pk_gate_passes"),
    one_of("rule", Rule),
    Index(None, "batch_id"),
    info=OWN,
)

gate_contacts = Table(  # leads that passed the gate: by it people and companies are not contacted too often
    "gate_contacts",
    metadata,
    Column("item_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("person", LargeBinary, nullable=False, comment="hash of the address, else of the profile", info=_HASH),
    Column("profile", LargeBinary, comment="hash of the profile", info=_HASH),
    Column("hosts", ARRAY(Text), nullable=False, comment="of the company", info=person(Erased.MENTIONS)),
    Column("above", ARRAY(Text), nullable=False, comment="these, and what is above each", info=person(Erased.MENTIONS)),
    Column("company_name", Text, comment="as compared", info=person(Erased.MENTIONS)),
    Column("simulated", Boolean, nullable=False, comment="at the simulator: nobody was written to"),
    Column(
        "keys",
        ARRAY(Text),
        nullable=False,
        comment="of entries in lists that mean it: one that is added later refuses it still",
        info=kept("a company's hosts and name, and keyed hashes of the person"),
    ),
    Column("accepts", ARRAY(Text), comment="consents without which it may not go; null: it needs none", info=OUR_WORD),
    now("reserved_at"),
    PrimaryKeyConstraint("item_id", "workflow_slug", name="pk_gate_contacts"),
    Index(None, "client_id", "person"),
    Index(None, "client_id", "profile", postgresql_where=text("profile is not null")),
    Index(None, "client_id", "company_name", postgresql_where=text("company_name is not null")),
    Index("ix_gate_contacts_above", "above", postgresql_using="gin"),
    Index(None, "batch_id"),
    info=OWN,
)
