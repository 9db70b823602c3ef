"""Budgets and currencies."""
