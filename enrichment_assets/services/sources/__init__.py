"""Leads that come one after another: gathered into open batches, brought by tables or by hand, asked about by id."""
