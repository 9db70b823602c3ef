"""The callback inbox."""
