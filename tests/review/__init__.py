"""Reviews and approvals."""
