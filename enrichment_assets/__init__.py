"""B2B enrichment as a data platform on Dagster. Read `definitions.py` first, then DESIGN's rooms."""
