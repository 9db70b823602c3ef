"""What CRMs and tables take for a value, and what has to be there before anything can be delivered. Pure."""
