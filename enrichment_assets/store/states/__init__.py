"""Workflow states: every move of one, why they stand where they stand, and what people reopen."""
