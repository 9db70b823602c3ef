"""What is set up before anything runs: clients, workflows, pipelines."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, OID

from enrichment_assets.store.tables.columns import client, identity, metadata, now, tenant, time
from enrichment_assets.store.tables.marks import SETTING, STAFF, TECHNICAL, no_person
from enrichment_assets.store.tables.tenants import OWN, own, platform

clients = Table(
    "clients",
    metadata,
    identity(),
    Column("slug", Text, nullable=False, unique=True, info=SETTING),
    Column("name", Text, nullable=False, info=SETTING),
    now("created_at"),
    time("archived_at"),
    Column(
        "weight", Float, nullable=False, server_default=text("1"), comment="turns beside other clients' at shared rates"
    ),
    CheckConstraint("weight >= 0.01 and weight <= 100", name="weight"),
    CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="slug"),
    info=own("id"),
)

enrich_readers = Table(  # whose rows a reader role sees; the workspace has one of its own, with the same columns
    "enrich_readers",
    metadata,
    Column("role_name", Text, primary_key=True, info=SETTING),
    Column("role_oid", OID, unique=True, comment="null: the role is on the workspace's server only", info=TECHNICAL),
    tenant(),
    Column("client_slug", Text, nullable=False, info=SETTING),
    now("granted_at"),
    info=OWN,
)

client_profiles = Table(  # what a client offers, for prompts: each change is a version, and none is ever overwritten
    "client_profiles",
    metadata,
    identity(),
    client(),
    Column("version", Integer, nullable=False, comment="from 1 for each client"),
    Column(
        "profile",
        JSONB,
        nullable=False,
        comment="domain.client_profiles.ClientProfile",
        info=no_person("what a client offers, told by itself; about nobody whom it looks for"),
    ),
    Column("content_hash", Text, nullable=False, comment="SHA-256 of the profile", info=TECHNICAL),
    Column("set_by", Text, nullable=False, comment="kind:name, as cli:ada", info=STAFF),
    now("set_at"),
    UniqueConstraint("client_id", "version"),
    info=OWN,
)

enrichment_registry = Table(  # one row per workflow; the built-in YAML files seed it, this table is the truth
    "enrichment_registry",
    metadata,
    identity(),
    Column("workflow_slug", Text, nullable=False, unique=True, info=SETTING),
    Column("title", Text, nullable=False, info=SETTING),
    Column("overall_step_number", Integer, nullable=False),
    Column("provider", Text, nullable=False, info=SETTING),
    Column("operation", Text, nullable=False, info=SETTING),
    Column("mode", Text, nullable=False, info=SETTING),
    Column("entity", Text, nullable=False, info=SETTING),
    Column("requires", JSONB, nullable=False, info=SETTING),
    Column("provides", JSONB, nullable=False, info=SETTING),
    Column("run_if", Text, info=SETTING),
    Column("destination_db", Text, info=SETTING),
    Column("destination_table_name", Text, info=SETTING),
    Column("destination_field_mappings", JSONB, info=SETTING),
    Column("price", JSONB, nullable=False, info=SETTING),
    Column("limits", JSONB, nullable=False, info=SETTING),
    Column("deadline_seconds", Float, nullable=False),
    Column("retry", JSONB, nullable=False, info=SETTING),
    Column(
        "definition",
        JSONB,
        nullable=False,
        comment="what the columns above do not hold: templates, mappings, ...",
        info=SETTING,
    ),
    Column("version", Text, nullable=False, comment="WorkflowDefinition.version()", info=TECHNICAL),
    Column(
        "builtin_version",
        Text,
        comment="version of the YAML file this row was seeded from; null: added by a user",
        info=TECHNICAL,
    ),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    now("created_at"),
    now("updated_at"),
    time("archived_at"),
    info=platform("workflows of the agency, the same for all clients"),
)

client_workflow_configs = Table(
    "client_workflow_configs",
    metadata,
    identity(),
    client(),
    Column("workflow_slug", Text, ForeignKey("enrichment_registry.workflow_slug"), nullable=False, info=SETTING),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'::jsonb"), info=SETTING),
    Column(
        "secrets",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="purpose -> environment variable NAME",
        info=SETTING,
    ),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    now("updated_at"),
    UniqueConstraint("client_id", "workflow_slug"),
    info=OWN,
)

enrichment_pipelines = Table(
    "enrichment_pipelines",
    metadata,
    identity(),
    Column(
        "client_id",
        BigInteger,
        ForeignKey("clients.id"),
        comment="null: a built-in pipeline every client can use",
    ),
    Column("slug", Text, nullable=False, info=SETTING),
    Column("title", Text, nullable=False, info=SETTING),
    Column("definition", JSONB, nullable=False, comment="PipelineDefinition", info=SETTING),
    now("created_at"),
    now("updated_at"),
    time("archived_at"),
    UniqueConstraint("client_id", "slug", postgresql_nulls_not_distinct=True),
    info=OWN,
)
