"""Tests with programs of Debian's packages, which `make services` installs: no imitation that would agree with us."""
