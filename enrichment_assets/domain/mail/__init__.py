"""Mail as pure functions: a message as bytes, how somebody opts out of it, what its domain's records promise."""
