"""How a lead goes to a destination: what is asked there before, which request it is, and what its answer means."""
