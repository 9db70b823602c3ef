"""The documentation as a test: what the pages name exists, and their commands do what they show."""
