"""ClickUp's words, as values: fields and their options, places by name, what a webhook or a poll says happened.

Facts of its API v2 (developer.clickup.com; PROVIDERS in docs/clickup.md says which come from the field). No network.
"""
