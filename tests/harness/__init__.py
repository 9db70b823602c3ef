"""What tests of several folders stand on.

Batches that the engine runs (`batches`), the sandbox and databases of a session, handles, marks in the package, and
processes that fork one order after another.
"""
