"""Alerts: rules, what detects, incidents, and what is to be said of them."""
