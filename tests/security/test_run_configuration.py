"""No address, secret name or folder of the platform can come from run configuration, however a run is launched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._config.config_type import ConfigType

from enrichment_assets.code_location import build_definitions
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.resources.platform import PlatformResource

HARMLESS = {
    "loggers.console.config.log_level",
    "loggers.console.config.name",
    "execution.config.retries.enabled",
    "execution.config.retries.disabled",
    "execution.config.marker_to_close",
    "execution.config.step_dependency_config.require_upstream_step_success",
}
"""Fields of Dagster's own executor and loggers: none of them says where anything is."""


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(list(builtin_workflows().values()), PlatformResource(home="/nonexistent"))


def _paths(schema: ConfigType, path: str = "") -> Iterator[str]:
    """Every field that can be set, by its path; a field that takes anything counts as itself."""
    inner = getattr(schema, "inner_type", None)
    if inner is not None:
        yield from _paths(inner, path)
        return
    fields = getattr(schema, "fields", None)
    if not fields:
        if path and fields is None:
            yield path
        return
    for name, field in fields.items():
        yield from _paths(field.config_type, f"{path}.{name}" if path else name)


def _jobs(definitions: dg.Definitions) -> list[dg.JobDefinition]:
    repository = definitions.get_repository_def()
    return [repository.get_job(name) for name in repository.job_names]


def test_no_job_takes_an_address_a_folder_or_a_secret(definitions: dg.Definitions) -> None:
    jobs = _jobs(definitions)
    assert len(jobs) >= 3
    for job in jobs:
        settable = set(_paths(job.run_config_schema.config_type))
        ops = {path for path in settable if path.startswith(("ops.", "inputs."))}
        assert settable - ops <= HARMLESS, job.name
        assert not [path for path in settable if path.startswith("resources.")], job.name


def test_no_resource_has_a_field_that_a_run_may_set(definitions: dg.Definitions) -> None:
    for job in _jobs(definitions):
        for key, resource in job.resource_defs.items():
            assert not list(_paths(resource.config_schema.config_type)), (job.name, key)


@pytest.mark.parametrize("field", sorted(PlatformResource.model_fields))
def test_a_launch_that_tries_is_refused(definitions: dg.Definitions, field: str) -> None:
    config: dict[str, Any] = {"resources": {"platform": {"config": {field: "postgresql://elsewhere.example/x"}}}}
    for job in _jobs(definitions):
        with pytest.raises(dg.DagsterInvalidConfigError, match=f'unexpected config entry "{field}"'):
            dg.validate_run_config(job, config)


def test_no_asset_reads_configuration_of_its_own(definitions: dg.Definitions) -> None:
    ops = {node.name: node for job in _jobs(definitions) for node in job.all_node_defs}
    assert "enrichment_steps" in ops
    for name, op in ops.items():
        if isinstance(op, dg.OpDefinition):
            fields = getattr(op.config_schema.config_type, "fields", None)
            assert not fields, name


def test_the_platform_as_it_was_built_is_what_a_run_sees() -> None:
    seen = []

    @dg.asset
    def looks(platform: PlatformResource) -> None:
        seen.append(platform.home)

    with dg.instance_for_test() as instance:
        dg.materialize([looks], resources={"platform": PlatformResource(home="/made/here")}, instance=instance)
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.materialize(
                [looks],
                resources={"platform": PlatformResource(home="/made/here")},
                run_config={"resources": {"platform": {"config": {"home": "/elsewhere"}}}},
                instance=instance,
            )
    assert seen == ["/made/here"]
