"""Mail from mailboxes: whose turn it is, and the message that is handed over."""
