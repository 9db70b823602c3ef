"""What the records of a sending domain said when they were looked up, and who accepted what was wrong."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrichment_assets.store.tables.columns import client, identity, metadata, now, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF
from enrichment_assets.store.tables.tenants import OWN

mail_domain_checks = Table(  # the last check of each domain from which a client's mail leaves
    "mail_domain_checks",
    metadata,
    identity(),
    client(),
    Column("domain", Text, nullable=False, comment="of the address in From", info=SETTING),
    Column(
        "way", Text, nullable=False, comment="through whom, as google or smtp.acme.com; empty: unsaid", info=SETTING
    ),
    now("checked_at"),
    Column("passed", Boolean, nullable=False),
    Column("stops", ARRAY(Text), nullable=False, comment="codes for which it did not pass", info=OUR_WORD),
    Column("findings", JSONB, nullable=False, comment="code, weight, text, advice, record", info=SETTING),
    time("accepted_at"),
    Column("accepted_by", Text, comment="actor", info=STAFF),
    Column("accepted_reason", Text, info=STAFF),
    Column("accepted_stops", ARRAY(Text), comment="what was accepted: more than that stops again", info=OUR_WORD),
    UniqueConstraint("client_id", "domain", "way"),
    CheckConstraint("(accepted_at is null) = (accepted_stops is null)", name="accepted"),
    info=OWN,
)
