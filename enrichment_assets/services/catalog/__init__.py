"""Clients, workflows and pipelines, as every entry point uses them."""
