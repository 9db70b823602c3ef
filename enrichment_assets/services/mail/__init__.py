"""Mail out: mailboxes, when each mail leaves, and what it is."""
