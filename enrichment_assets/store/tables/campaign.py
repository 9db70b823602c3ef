"""Campaigns of services that send for us: what their files say, and which campaign there each of them is."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.domain.outreach.campaigns import CampaignState
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, TECHNICAL
from enrichment_assets.store.tables.tenants import OWN

outreach_campaigns = Table(  # what a person had made at a service that sends, by its name
    "outreach_campaigns",
    metadata,
    identity(),
    client(),
    Column("service", Text, nullable=False, comment="as instantly", info=SETTING),
    Column("name", Text, nullable=False, info=SETTING),
    Column("key", Text, nullable=False, comment="ours: stands in its name there", info=TECHNICAL),
    Column("definition", JSONB, nullable=False, comment="what its file says", info=SETTING),
    Column("body_sha256", LargeBinary, nullable=False, comment="of what was sent, or is to be", info=TECHNICAL),
    Column("state", Text, nullable=False, info=OUR_WORD),
    Column("external_id", Text, comment="its id there; null: it is not known", info=TECHNICAL),
    Column("status_code", Integer, comment="as the service said last"),
    Column("error", Text, comment="why it was not made or changed; null: it was", info=OUR_WORD),
    Column("created_by", Text, nullable=False, info=STAFF),
    now("created_at"),
    time("claimed_until"),  # somebody is having it made: nobody else asks meanwhile
    time("seen_at"),
    Column("activated_by", Text, info=STAFF),
    time("activated_at"),
    one_of("state", CampaignState),
    UniqueConstraint("client_id", "service", "name"),
    info=OWN,
)
