"""Where a person stands in the databases, and what is done about it: by the marks of `store.tables`."""
