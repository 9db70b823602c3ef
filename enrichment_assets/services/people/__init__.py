"""People: who may not be bought, called or written to."""
