"""A module per normaliser: `answer` takes what goes in as a mapping, and returns what comes out as one."""
