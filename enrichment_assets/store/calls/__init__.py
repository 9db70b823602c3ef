"""The call ledger: intents, answers, the questions they answer, and answers that are used again."""
