"""Figures over everything, for who watches the platform from outside."""
