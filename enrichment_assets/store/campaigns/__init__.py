"""Statements on campaigns of services that send for us."""
