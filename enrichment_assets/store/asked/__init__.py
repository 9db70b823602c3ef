"""What users of the workspace ask for by SQL: an UPDATE of a view becomes a row, which is done or refused."""
