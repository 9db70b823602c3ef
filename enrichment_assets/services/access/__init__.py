"""Who may: users, API keys, logins, and the log of what everybody changed."""
