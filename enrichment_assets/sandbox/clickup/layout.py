"""What a fresh workspace has: a space `Sales`, a folder per segment with a list `New Leads`, fields and people.

As a golf client keeps it: most fields are the space's, one is the folders', one each list's own, so that a client that
looks at one level only misses some.
"""

from __future__ import annotations

from enrichment_assets.sandbox.clickup.workspace import Folder, Person, Space, Status, TaskList, Workspace

STATUSES = (
    Status("new", "open", "#87909e", 0),
    Status("contacted", "custom", "#5f55ee", 1),
    Status("qualified", "custom", "#f8ae00", 2),
    Status("won", "done", "#008844", 3),
    Status("closed", "closed", "#656f7d", 4),
)
SEGMENTS = ("high-end", "budget", "both")
_FOLDERS = ("High-end", "Budget", "Both")
_FIELDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Segment", "drop_down", SEGMENTS),
    ("Confidence", "number", ()),
    ("Email", "email", ()),
    ("Phone", "phone", ()),
    ("LinkedIn", "url", ()),
    ("Top Opp 1", "short_text", ()),
    ("Top Opp 1 Score", "number", ()),
    ("Top Opp 2", "short_text", ()),
    ("Top Opp 2 Score", "number", ()),
    ("Enrichment Key", "short_text", ()),
)
PEOPLE = (
    (183_001, "Enrich Integration", "integration@fairway.example"),
    (183_002, "Rita Marlow", "rita@fairway.example"),
    (183_003, "Sam Okafor", "sam@fairway.example"),
)
"""Id, name and address; the token belongs to the first."""


def fresh_workspace(seed: int, token: str) -> Workspace:
    """The workspace that a token opens the first time that it is used."""
    made = Workspace(seed, token, id="9011000001", name="Fairway")
    made.people = {number: Person(number, name, email) for number, name, email in PEOPLE}
    made.owner = made.people[PEOPLE[0][0]]
    space = add_space(made, "Sales")
    for name in _FOLDERS:
        folder = add_folder(made, name, space)
        made.add_field("Next Step", "text", folder.id)
        one = add_list(made, "New Leads", space, folder)
        made.add_field("Tags", "labels", one.id, ("range", "staff", "lease"))
    for name, kind, options in _FIELDS:
        made.add_field(name, kind, space.id, options)
    return made


def add_space(workspace: Workspace, name: str) -> Space:
    """A new space."""
    one = Space(workspace.place_id("space"), name)
    workspace.spaces[one.id] = one
    return one


def add_folder(workspace: Workspace, name: str, space: Space) -> Folder:
    """A new folder of a space."""
    one = Folder(workspace.place_id("folder"), name, space)
    workspace.folders[one.id] = one
    return one


def add_list(workspace: Workspace, name: str, space: Space, folder: Folder | None) -> TaskList:
    """A new list of a folder, or of a space."""
    one = TaskList(workspace.place_id("list"), name, space, folder, STATUSES)
    workspace.lists[one.id] = one
    return one
