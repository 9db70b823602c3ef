"""Clients' servers that are told, what they are told of, and the messages."""
