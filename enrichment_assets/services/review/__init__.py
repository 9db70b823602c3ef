"""What a person looks at before it leaves: drafts to approve, and questions that pipelines ask people."""
