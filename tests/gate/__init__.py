"""The send gate, and what comes back of deliveries."""
