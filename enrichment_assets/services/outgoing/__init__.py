"""Telling clients' servers what happened."""
