"""Leads that are known again, and golden records."""
