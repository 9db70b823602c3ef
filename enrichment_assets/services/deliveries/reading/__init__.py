"""How messages of each kind of connection are read: a module for each, named as the kind, with a `READER`."""
