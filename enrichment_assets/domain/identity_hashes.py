"""How long the hash of an identity is, for statements that cut lists of them apart.

Apart from `suppression`, which makes them: that one reads names, numbers and addresses, and its libraries take a
command that only looks longer to import than it runs.
"""

HASH_BYTES = 32
