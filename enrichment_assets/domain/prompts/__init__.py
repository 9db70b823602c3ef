"""Prompts to language models: what one asks, how its inputs are shown, what of an answer counts. Pure, no I/O."""
