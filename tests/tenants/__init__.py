"""Every client is alone: row level security, reader roles, and questions for one client."""
