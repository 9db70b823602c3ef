"""What tests of users, keys, routes and pages share."""

from __future__ import annotations

from tests.access.askers import askers, desk
from tests.access.office import office

__all__ = ["askers", "desk", "office"]
