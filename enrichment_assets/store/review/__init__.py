"""What waits for a person, and what people said: drafts and their approvals, questions to people."""
