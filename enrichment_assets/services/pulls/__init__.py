"""Figures of outside services: connecting a client, fetching, reading, and showing them."""
