"""For developers: drafts a migration from what differs between `store/tables/` and the HQ database.

`python -m enrichment_assets.installation.revision 0004 "what it does"`; see CONTRIBUTING.md, "Changing the schema".
"""

from __future__ import annotations

import sys

import psycopg
from alembic import command
from sqlalchemy import create_engine

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.installation.migrating import alembic_config
from enrichment_assets.settings import Settings


def draft(number: str, message: str) -> None:
    """Write the draft into `store/migrations/versions`; the database of the environment is migrated first.

    Args:
        number: Of the migration, four digits, which is also its revision id.
        message: What it does, in a few words.
    """
    url = open_databases(Settings.from_environment()).hq
    config = alembic_config()
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url)).connect() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    draft(*sys.argv[1:])
