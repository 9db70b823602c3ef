"""Simulated or real: a batch is launched for one of the two and stays with it."""

from __future__ import annotations

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.settings import Settings


def calls_simulator(settings: Settings, blueprint: Blueprint) -> bool:
    """Whether a batch with this blueprint is one for the simulator: with its address set, all that is sent goes there.

    A batch that sends nothing is for neither.
    """
    return settings.sandbox_url is not None and any(step.workflow.mode is not Mode.LOCAL for step in blueprint.steps)


def refuse_other_world(settings: Settings, batch_key: str, blueprint: Blueprint) -> None:
    """A batch that was planned against the simulator must not spend real money, nor a paid one end in made-up data.

    Raises:
        ConfigurationError: The batch was launched for the one, and this process would call the other.
    """
    if blueprint.simulated is None or blueprint.simulated == (here := calls_simulator(settings, blueprint)):
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
