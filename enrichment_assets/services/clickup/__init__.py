"""ClickUp beside its deliveries: what changed there, webhooks that are kept alive, places that are looked at first."""
