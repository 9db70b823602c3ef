"""Mail as pure functions: what a message says, how somebody opts out of it, what its domain's records promise."""
