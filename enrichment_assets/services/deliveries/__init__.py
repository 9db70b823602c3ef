"""Deliveries: what goes out, what may not, and what comes back."""
