"""Simulated or real: a batch is launched for one of the two and stays with it."""

from __future__ import annotations

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.settings import Settings


def calls_simulator(settings: Settings) -> bool:
    """Whether a batch that is launched now is one for the simulator: with its address set, all that is sent goes there.

    Of a batch whose steps send nothing too: its leads are delivered later.
    """
    return settings.sandbox_url is not None


def refuse_other_world(settings: Settings, batch_key: str, blueprint: Blueprint) -> None:
    """A batch that was planned against the simulator must not spend real money, nor a paid one end in made-up data.

    One whose steps send nothing is advanced by any process.

    Raises:
        ConfigurationError: The batch was launched for the one, and this process would call the other.
    """
    here = calls_simulator(settings)
    if blueprint.simulated in (None, here) or all(step.workflow.mode is Mode.LOCAL for step in blueprint.steps):
        return
    if here:
        raise ConfigurationError(
            f"batch {batch_key} was launched for real providers, and this process would call the simulator: "
            "unset ENRICH_SANDBOX_URL where that process is started",
            Hint(Action.RESTART_PLATFORM, {"simulator": "no"}),
            code="batch.other_world",
        )
    raise ConfigurationError(
        f"batch {batch_key} was launched for the simulator, and this process would call real providers: "
        "set ENRICH_SANDBOX_URL where that process is started, or launch the upload again",
        Hint(Action.RESTART_PLATFORM, {"simulator": "yes"}),
        code="batch.other_world",
    )
