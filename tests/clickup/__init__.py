"""ClickUp, two ways: the simulated one and its contract, the provider, deliveries, and what comes back."""
