"""What stands for a lead at each destination, and which leads of a batch are to go there."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrichment_assets.domain.deliveries import DeliveryState
from enrichment_assets.store.tables.columns import identity, metadata, now, one_of, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, TECHNICAL, Erased, kept, person
from enrichment_assets.store.tables.tenants import OWN

_KNOWN_BY = kept("a checksum: by it alone is known that somebody was delivered already, or is gone there")

deliveries = Table(  # one lead at one destination, whichever batches it comes from
    "deliveries",
    metadata,
    identity(),
    tenant(),
    Column("destination", Text, nullable=False, comment="slug of the delivery workflow", info=SETTING),
    Column(
        "target",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="which place of the destination: a list, a campaign",
        info=person(Erased.MENTIONS),
    ),
    Column(
        "simulated",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="at the simulator: what is there says nothing of the real destination",
    ),
    Column("identity_sha256", LargeBinary, nullable=False, comment="of whom the lead is about", info=_KNOWN_BY),
    Column("identity_field", Text, nullable=False, comment="the column that said who", info=SETTING),
    Column("key", Text, nullable=False, unique=True, comment="ours there: 40 hex digits", info=TECHNICAL),
    Column("state", Text, nullable=False, info=OUR_WORD),
    Column("external_id", Text, comment="its id there", info=person(Erased.MENTIONS)),
    Column("generation", Integer, nullable=False, server_default=text("0"), comment="calls that ended"),
    Column("content_sha256", LargeBinary, comment="of what was written last; null: nothing was", info=TECHNICAL),
    Column("read_sha256", LargeBinary, comment="of what templates read beside the fields", info=TECHNICAL),
    Column("written", JSONB, comment="remote name -> value that was written last", info=person(Erased.NULL)),
    Column("intended_sha256", LargeBinary, comment="of what is on its way", info=TECHNICAL),
    Column("intended_read_sha256", LargeBinary, info=TECHNICAL),
    Column("intended", JSONB, comment="remote name -> value that is on its way", info=person(Erased.NULL)),
    Column("item_id", BigInteger, nullable=False, comment="the lead that was delivered last"),
    Column("batch_id", BigInteger, nullable=False),
    Column("call_id", BigInteger, comment="its last call"),
    Column("version", Text, nullable=False, comment="of the workflow's configuration", info=TECHNICAL),
    Column("approval_ids", ARRAY(BigInteger), comment="what it was approved by; null: it needed none"),
    Column("actor", Text, nullable=False, comment="who asked for it", info=STAFF),
    now("created_at"),
    time("first_delivered_at"),
    time("delivered_at"),
    time("ended_at"),
    Column("reason", Text, comment="why it is in its state", info=person(Erased.MENTIONS)),
    one_of("state", DeliveryState),
    UniqueConstraint("client_id", "destination", "target", "simulated", "identity_sha256", name="uq_deliveries_lead"),
    Index(None, "client_id", "destination", "external_id"),
    Index(None, "item_id"),
    Index(None, "batch_id", "destination"),
    info=OWN,
)

delivery_identities = Table(  # everything by which a delivered lead is known again: addresses change
    "delivery_identities",
    metadata,
    tenant(),
    Column("destination", Text, nullable=False, info=SETTING),
    Column("target", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("simulated", Boolean, nullable=False),
    Column("identity_sha256", LargeBinary, nullable=False, info=_KNOWN_BY),
    Column("key", Text, nullable=False, comment="of `deliveries`", info=TECHNICAL),
    PrimaryKeyConstraint(
        "client_id", "destination", "target", "simulated", "identity_sha256", name="pk_delivery_identities"
    ),
    Index(None, "key"),
    Index(None, "client_id", "identity_sha256"),
    info=OWN,
)

batch_deliveries = Table(  # which deliveries a batch has, and what each was asked for last
    "batch_deliveries",
    metadata,
    Column("batch_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    tenant(),
    Column("position", SmallInteger, nullable=False),
    Column("automatic", Boolean, nullable=False, comment="the pipeline says `deliver`: nobody has to ask"),
    Column("step", JSONB, comment="the workflow as it was when leads were planned last", info=SETTING),
    Column("conditions", ARRAY(Text), comment="further ones of whoever asked", info=SETTING),
    Column("asked_by", Text, nullable=False, info=STAFF),
    time("planned_at"),
    Column("planned_for", DateTime(timezone=True), comment="extracted_at of the leads that were planned"),
    Column("resume_at", DateTime(timezone=True), comment="when something is due; null: nothing is"),
    PrimaryKeyConstraint("batch_id", "workflow_slug", name="pk_batch_deliveries"),
    Index("ix_batch_deliveries_due", "resume_at", postgresql_where=text("resume_at is not null")),
    Index("ix_batch_deliveries_automatic", "batch_id", postgresql_where=text("automatic")),
    info=OWN,
)

planned_deliveries = Table(  # leads that are to go, as they were when they were planned
    "planned_deliveries",
    metadata,
    Column("item_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    Column("batch_id", BigInteger, nullable=False),
    tenant(),
    Column("key", Text, nullable=False, comment="of `deliveries`", info=TECHNICAL),
    Column("target", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("identity_sha256", LargeBinary, nullable=False, info=_KNOWN_BY),
    Column("identity_field", Text, nullable=False, info=SETTING),
    Column(
        "identities", ARRAY(LargeBinary), nullable=False, comment="hashes of all by whom it is known", info=_KNOWN_BY
    ),
    Column("lead", JSONB, nullable=False, comment="the columns that the delivery reads", info=person(Erased.BLANK)),
    Column("fields", JSONB, nullable=False, comment="remote name -> value", info=person(Erased.BLANK)),
    Column("content_sha256", LargeBinary, nullable=False, info=TECHNICAL),
    Column("read_sha256", LargeBinary, nullable=False, info=TECHNICAL),
    Column("approval_ids", ARRAY(BigInteger), comment="what it was approved by; null: it needs none"),
    now("planned_at"),
    PrimaryKeyConstraint("item_id", "workflow_slug", name="pk_planned_deliveries"),
    Index(None, "batch_id", "workflow_slug"),
    info=OWN,
)
