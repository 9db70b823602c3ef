"""Mailboxes and the mails that leave them."""
