"""Alerts: what can be watched, in which words it is told, and when a channel is left in peace."""
