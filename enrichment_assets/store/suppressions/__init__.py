"""People and companies that may not be bought, called or written to."""
