"""Alerts: rules that people set, what they find, and telling it."""
