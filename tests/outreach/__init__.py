"""Outreach by services that send for us: campaigns, leads, what comes back."""
