"""What people do when something stands still: budgets, retries, replays, callbacks."""
