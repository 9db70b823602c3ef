"""What a person can do about an error or after a change, as data: an entry point words it, in its own terms.

Example: `Hint(Action.ADD_CLIENT, {"client": "acme"})` is a command in the command line and may be a button on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What can be done. In parentheses: the arguments that a hint of this action has."""

    LIST_CLIENTS = "list_clients"
    """()"""
    ADD_CLIENT = "add_client"
    """(client)"""
    LIST_ARCHIVED = "list_archived"
    """()"""
    LIST_UPLOADS = "list_uploads"
    """()"""
    LIST_WORKFLOWS = "list_workflows"
    """()"""
    LIST_PIPELINES = "list_pipelines"
    """()"""
    LIST_BATCHES = "list_batches"
    """()"""
    LIST_BATCHES_OF = "list_batches_of"
    """(client)"""
    LIST_BUDGETS = "list_budgets"
    """()"""
    LIST_CALLBACKS = "list_callbacks"
    """()"""
    NAME_CLIENT = "name_client"
    """()"""
    START_BATCH = "start_batch"
    """(batch) Nothing of it has been done yet."""
    FINISH_BATCH = "finish_batch"
    """(batch) What waits in it goes first."""
    FINISH_CALLS = "finish_calls"
    """(batch) Calls without an end are finished, or decided about."""
    CONTINUE_BATCH = "continue_batch"
    """(batch) It goes on by itself where the platform runs."""
    LEAVE_TO_RUNS = "leave_to_runs"
    """(batch, runs) Runs work on it now."""
    EXTRACT_AGAIN = "extract_again"
    """(batch) Its results are extracted again by the next run."""
    CONTINUE_PILOT = "continue_pilot"
    """(batch) Go on with the pilot as it was launched."""
    REPLACE_PILOT = "replace_pilot"
    """(batch) Launch all rows as they would run now."""
    REPLACE_BATCH = "replace_batch"
    """(batch) Launch another one in its place."""
    RESTART_PLATFORM = "restart_platform"
    """(simulator) Start the platform again for the simulator (`yes`) or for real providers (`no`)."""
    WRITE = "write"
    """() What was only tried is done in earnest."""
    ALLOW_WRITING = "allow_writing"
    """() For SQL of one's own that does more than ask."""
    QUERY_MODEL = "query_model"
    """(model, file) Ask for a model that is not kept per batch."""
    BUILD_ANALYTICS = "build_analytics"
    """() What is asked across batches is built at the end of a run."""
    SEARCH_ORGANISATIONS = "search_organisations"
    """() Look for an organisation by a part of its name."""
    NAME_SECRET = "name_secret"  # noqa: S105 - no secret
    """(workflow) Name the variable that holds a secret."""
    NAME_LOGIN = "name_login"
    """(workflow) Name the variables that hold a user and a password."""
    ALLOW_FOREIGN_HOST = "allow_foreign_host"
    """(workflow) Save it although its key goes to an address that is not the provider's."""
    NOTHING_LEFT = "nothing_left"
    """() Nothing of the batch is left to do."""
    NOTHING_CHANGED = "nothing_changed"
    """()"""


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing that helps.

    Attributes:
        action: What to do.
        arguments: With what: names of clients, batches, workflows, models and files. Never a value of a person.
    """

    action: Action
    arguments: Mapping[str, str] = field(default_factory=dict)
