"""A test per law of DESIGN.md section 6: the law holds, and with its guard taken out the same check finds it broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.batches import BatchHarness
from tests.harness.fork_server import ForkServer, fork_server
from tests.harness.marks import GUARD, wrong_marks
from tests.laws.mutants import BROKEN, Mutation, find_check, run_without
from tests.laws.mutations import MUTATIONS


def test_every_guard_is_marked_once_in_the_package_and_every_mark_is_taken_out_by_a_mutation() -> None:
    assert wrong_marks(GUARD, {guard for mutation in MUTATIONS for guard in mutation.without}) == []


@pytest.mark.parametrize("check", sorted({mutation.check for mutation in MUTATIONS}))
def test_the_law_holds(harness: BatchHarness, check: str) -> None:
    find_check(check)(harness)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """Where the checks on mutated copies are forked."""
    with fork_server(tmp_path_factory.mktemp("mutants") / "log", "tests.laws.mutant_process") as server:
        yield server


@pytest.mark.crashes
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_without_its_guard_the_law_is_found_broken(
    harness: BatchHarness, tmp_path: Path, processes: ForkServer, mutation: Mutation
) -> None:
    folder = tmp_path / "mutated"
    folder.mkdir()
    found = run_without(mutation, harness, folder, processes)
    assert found.returncode == BROKEN, f"exit code {found.returncode}: {found.output}"
