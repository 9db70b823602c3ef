"""One run over a batch: its items, its steps, and why they stand still."""
