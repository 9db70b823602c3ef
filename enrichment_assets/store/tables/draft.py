"""Workflows that somebody wrote down by SQL, until they are registered or refused."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.store.tables.columns import identity, metadata, now
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF
from enrichment_assets.store.tables.tenants import platform

workflow_drafts = Table(  # rows of the view homepage.db_driven_enrichment_workflows that are no workflow yet
    "workflow_drafts",
    metadata,
    identity(),
    Column("workflow_slug", Text, nullable=False, unique=True, info=SETTING),
    Column("title", Text, info=SETTING),
    Column("overall_step_number", Integer),
    Column("provider", Text, nullable=False, info=SETTING),
    Column("destination_db", Text, info=SETTING),
    Column("destination_table_name", Text, info=SETTING),
    Column("destination_field_mappings", JSONB, comment="{what is read: column}", info=SETTING),
    Column("status", Text, nullable=False, server_default=text("'draft'"), info=OUR_WORD),
    Column("reason", Text, comment="why it was refused", info=SETTING),
    Column("drafted_by", Text, nullable=False, comment="the role of Postgres that wrote it", info=STAFF),
    now("drafted_at"),
    CheckConstraint("status in ('draft', 'refused')", name="status"),
    info=platform("workflows of the agency, the same for all clients"),
)
