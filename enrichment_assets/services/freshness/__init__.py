"""Leads that were known a while ago: gathering them into a batch, and carrying over what became of them."""
