"""Launching a batch, advancing it, storing and extracting what it gave."""
