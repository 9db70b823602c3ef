"""Numbers by which rows of HQ are known: items, jobs, proposals."""

from __future__ import annotations

LARGEST_ID = 2**63 - 1
"""The largest that Postgres has (`bigint`): a larger one is a slip of the keyboard, and said to be none."""
