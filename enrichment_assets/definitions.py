"""The one Definitions object of the code location, `defs`, which Dagster loads. What is in it: `code_location.py`."""

from __future__ import annotations

from enrichment_assets.collector import no_collection_at_the_end, no_collections

no_collection_at_the_end()
with no_collections():  # a fifth of the time that the code location takes to load
    from enrichment_assets.code_location import build_definitions
    from enrichment_assets.resources.kept_connections import keep_connections

    keep_connections()
    defs = build_definitions()
