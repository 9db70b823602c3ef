"""Alembic's entry: runs on the connection that `installation.migrating` or `installation.revision` hands over."""

from __future__ import annotations

from alembic import context

from enrichment_assets.store.tables import metadata
from enrichment_assets.store.views.making import views

OF_REVISIONS = ("alembic_version", "schema_revision")
"""Tables that say where the schema stands, and are none of its own."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=lambda name, kind, _parents: kind != "table" or name not in OF_REVISIONS,
    version_table=context.config.get_main_option("version_table", "alembic_version"),
)


def _is_for_the_newest() -> bool:
    """Whether the schema is to be the newest, or is only compared with the tables."""
    try:
        return context.get_revision_argument() == context.get_head_revision()
    except KeyError:
        return True


with context.begin_transaction():
    if not _is_for_the_newest():  # what is taken away is read by the views of systems; migrating makes them again
        for view in reversed(views("hq")):
            context.execute(f"drop view if exists {view.identifier.as_string(None)}")
    context.run_migrations()
