"""Users, API keys, and logins that failed."""
