"""Limits that all runs share: rates, breakers, calls of the day."""
