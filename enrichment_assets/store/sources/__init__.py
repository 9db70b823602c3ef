"""Rows that come one after another: open batches and their parts, table sources, the rows that they took."""
