"""What simulated CRMs and tables keep: properties, records, cells. Their HTTP is in `sandbox.providers`."""
