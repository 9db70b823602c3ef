"""Outreach by services that send for us: campaigns as data, and what comes back from them. Pure."""
