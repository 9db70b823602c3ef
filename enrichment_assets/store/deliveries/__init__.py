"""Deliveries and what comes back of them: connections, kept bytes, events, and what they stop."""
