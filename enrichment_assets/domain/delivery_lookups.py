"""In which order lookups are asked: each after those whose values it reads, wherever they stand in the file.

A definition is kept as `jsonb`, which keeps no order of members: what reads what is all that can be told from it.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.workflow import WorkflowDefinition


def lookup_order(workflow: WorkflowDefinition) -> list[str]:
    """The names of a delivery's lookups, each behind those that it reads; ones that wait for each other stand last."""
    if workflow.delivery is None:
        return []
    needs: dict[str, set[str]] = {name: set() for name in sorted(workflow.delivery.lookups)}
    for read in reads_of(workflow):
        if read.place[:2] == ("delivery", "lookups") and read.head == "lookups" and read.member in needs:
            needs[str(read.place[2])].add(read.member)
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = set(error.args[1])
        rest = {name: wanted - circle for name, wanted in needs.items() if name not in circle}
        return [*TopologicalSorter(rest).static_order(), *sorted(circle)]
