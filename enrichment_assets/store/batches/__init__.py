"""Batches and their items: laid out, given children, given up."""
