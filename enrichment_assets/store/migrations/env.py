"""Alembic's entry: runs on the connection that `installation.migrating` or `installation.revision` hands over."""

from __future__ import annotations

from alembic import context

from enrichment_assets.store.tables import metadata

OF_REVISIONS = ("alembic_version", "schema_revision")
"""Tables that say where the schema stands, and are none of its own."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=lambda name, kind, _parents: kind != "table" or name not in OF_REVISIONS,
    version_table=context.config.get_main_option("version_table", "alembic_version"),
)
with context.begin_transaction():
    context.run_migrations()
