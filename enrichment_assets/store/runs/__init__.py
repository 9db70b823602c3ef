"""Runs: who holds which item, and what a run loads of it."""
