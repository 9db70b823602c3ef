"""One provider call, from subject to answer."""
