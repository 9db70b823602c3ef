"""Campaigns of services that send for us: made from files, filled with leads, activated by people."""
