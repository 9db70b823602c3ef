"""What people decided about organisations: which names are one, and which stand for themselves."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from enrichment_assets.domain.organisation_decisions import DecisionKind
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, time
from enrichment_assets.store.tables.marks import OUR_WORD, STAFF, Erased, person
from enrichment_assets.store.tables.tenants import OWN

organisation_decisions = Table(  # a person's word counts for more than what is found together; never deleted
    "organisation_decisions",
    metadata,
    identity(),
    client(),
    Column("kind", Text, nullable=False, info=OUR_WORD),
    Column("alias_key", Text, nullable=False, comment="as name:acme or host:acme.com", info=person(Erased.MENTIONS)),
    Column("other_key", Text, comment="with which it is one; null: it stands alone", info=person(Erased.MENTIONS)),
    Column("reason", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("actor", Text, nullable=False, info=STAFF),
    now("created_at"),
    time("undone_at"),
    one_of("kind", DecisionKind),
    CheckConstraint("(kind = 'join') = (other_key is not null)", name="other_key"),
    Index(None, "client_id"),
    info=OWN,
)
