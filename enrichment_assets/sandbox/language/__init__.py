"""The sandbox's language model: it cannot reason, so it quotes what it was shown, or does what it was told."""
