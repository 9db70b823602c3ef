"""Tries: one workflow asked about a few rows, to see what leaves, what comes back and what becomes of it."""
