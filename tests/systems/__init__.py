"""Systems: what their files promise, and each demo from its sample to its tables."""
