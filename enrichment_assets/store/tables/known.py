"""By what earlier leads are known again: hashes made of the items and of what was found for them, never read alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, PrimaryKeyConstraint, Table

from enrichment_assets.store.tables.columns import metadata, now, tenant
from enrichment_assets.store.tables.marks import TECHNICAL, kept
from enrichment_assets.store.tables.tenants import OWN

known_identities = Table(  # written only for clients of whom some batch asks whom it knows
    "known_identities",
    metadata,
    tenant(),
    Column(
        "hash",
        LargeBinary,
        nullable=False,
        comment="of kind and value, keyed by the pepper, as suppressions are",
        info=kept("a keyed hash of an item's identity; erasing the item deletes the row"),
    ),
    Column("item_id", BigInteger, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column(
        "compared",
        Boolean,
        nullable=False,
        comment="by it the item itself is looked up; false: it is only how later ones may know it",
    ),
    PrimaryKeyConstraint("client_id", "hash", "item_id", name="pk_known_identities"),
    Index(None, "batch_id", "item_id"),
    info=OWN,
)

known_batches = Table(  # how far each batch was read into known_identities
    "known_batches",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    tenant(),
    Column("simulated", Boolean, nullable=False, comment="its leads are known to batches of its own world alone"),
    Column("mark", LargeBinary, nullable=False, comment="of the pepper of its hashes", info=TECHNICAL),
    Column("last_item", BigInteger, nullable=False, comment="items up to this one were read"),
    now("read_at"),
    Index(None, "client_id"),
    info=OWN,
)
