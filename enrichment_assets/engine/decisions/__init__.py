"""What an answer means, and what follows from it. Pure where it can be."""
