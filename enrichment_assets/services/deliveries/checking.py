"""Whether a destination has what a delivery needs: asked before the first lead goes, and changing nothing there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.provider import Answer, Check, Provider, RenderedRequest, Wanted
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.deliveries.destinations import destinations_of
from enrichment_assets.store.hq import Hq
from enrichment_assets.wire.addresses import base_url_of, is_simulated
from enrichment_assets.wire.conversations import converse
from enrichment_assets.wire.secrets import workflow_secrets
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent, ProviderClient, build_client, send

TIMEOUT = 30.0
"""Seconds for one question."""


class _Asked(Exception):
    """A question could not be asked, or was not answered; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a destination lacks.

    Attributes:
        workflow: The delivery, with its client's settings.
        lacks: Each with what to do; empty: leads can go there. None: nobody knows how to ask this destination.
        simulated: The simulator was asked, which says nothing of the real destination.
    """

    workflow: WorkflowDefinition
    lacks: list[str] | None
    simulated: bool


def check_destination(
    hq: Hq, client: str, slug: str, providers: Mapping[str, Provider], sandbox_url: str | None
) -> Checked:
    """Ask the destination of one of a client's deliveries.

    Raises:
        NotFoundError: There is no such client, or no such delivery.
        ConfigurationError: It is switched off.
    """
    with hq.transaction() as connection:
        client_id = int(client_row(connection, client)["id"])
    workflow = destinations_of(hq, client, client_id).get(slug)
    lacks = check_delivery(workflow, providers[workflow.provider], sandbox_url)
    return Checked(workflow, lacks, simulated=sandbox_url is not None)


def check_delivery(workflow: WorkflowDefinition, provider: Provider, sandbox_url: str | None) -> list[str] | None:
    """What the destination of a delivery lacks, each with what to do; None: nobody knows how to ask this kind.

    Args:
        workflow: The delivery, with its client's settings.
        provider: Its provider, at its own address or the simulator's.
        sandbox_url: The simulator, where leads of this process go there.
    """
    delivery = workflow.delivery
    fields = () if delivery is None else tuple(delivery.fields)
    check = provider.check(Wanted(workflow.parameters, fields))
    if check is None:
        return None
    simulated = is_simulated(workflow, provider, sandbox_url)
    try:
        secrets = workflow_secrets(workflow, simulated=simulated)
        asking = _Asking(provider, secrets, base_url_of(workflow, provider))
        return asyncio.run(asking.held(check, sandbox_url if simulated else None))
    except ConfigurationError as error:
        return [str(error)]


class _Asking:
    """Who asks: a delivery's provider, with its secrets."""

    def __init__(self, provider: Provider, secrets: dict[str, str], base_url: str) -> None:
        self.provider, self.secrets, self.base_url = provider, secrets, base_url

    async def held(self, check: Check, only_below: str | None) -> list[str]:
        """Ask every question; one that is refused is what is missing, and the last."""
        async with build_client(only_below=only_below) as client:
            answer: Answer | None = None
            while True:
                try:
                    question = next(check) if answer is None else check.send(answer)
                except StopIteration as ended:
                    found: list[str] = ended.value
                    return found
                try:
                    answer = await self._answer(client, question)
                except _Asked as trouble:
                    return [str(trouble)]

    async def _answer(self, client: ProviderClient, question: RenderedRequest) -> Answer:
        request = self.provider.authorise(question, self.secrets, self.base_url)
        several = self.provider.conversation(request, self.secrets)
        try:
            answer = (
                await send(client, request, TIMEOUT) if several is None else await converse(client, several, TIMEOUT)
            )
        except (NotSent, FateUnknown, AnswerTooLarge) as error:
            raise _Asked(f"{self.provider.title} could not be asked: {error}") from error
        verdict = self.provider.classify("check", answer)
        if verdict.error not in (None, ErrorClass.INVALID_INPUT) or verdict.not_found:
            raise _Asked(f"{self.provider.title}: {verdict.message or f'HTTP {answer.status}'}")
        return answer
