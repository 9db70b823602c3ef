"""Row level security: which rows of a table a client's reader may see, who works on all of them, and reader roles."""
