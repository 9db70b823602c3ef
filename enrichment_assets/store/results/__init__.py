"""Results on their way out: tables that configuration names, sources of the warehouse, edits, numbers."""
