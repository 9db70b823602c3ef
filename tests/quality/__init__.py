"""How often the normalisers are right, over data sets with known answers (README.md says how to add one)."""
