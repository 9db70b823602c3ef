"""Dashboards: the models of the named reports, summed over batches, as charts with their tables."""
