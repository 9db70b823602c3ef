"""What tests of several folders stand on: marks in the package, and processes that fork one order after another."""
