"""How the answer of a destination is read: it was taken, and what it is called there."""

from __future__ import annotations

from enrichment_assets.domain.errors import ContractError, ReportedError
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.provider import Answer, Reading
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition


class DeliveryReader(ResponseReader):
    """Reads answers of a destination. Whoever says 2xx has taken it, whatever the body is: `ok`, a page, nothing.

    Where `response.found_if` says what an answer looks like that has taken it, any other has not.
    """

    def __init__(self, workflow: WorkflowDefinition) -> None:
        super().__init__(workflow)
        self._is_strict = workflow.response.found_if is not None or workflow.response.decode is not None

    def read(self, answer: Answer) -> Reading:
        """Read an answer; raises `ContractError` where it says that it is an error (`error_if`)."""
        try:
            reading = super().read(answer)
        except ReportedError:
            raise
        except ContractError:
            if self._is_strict or self._workflow.mode is Mode.ASYNC:
                raise
            return Reading(Outcome.FOUND, None, {})
        if self._is_strict or self._workflow.mode is Mode.ASYNC:
            return reading
        return Reading(Outcome.FOUND, reading.payload, {}, reading.cost_units, reading.external_id)


def remote_id(expression: Expression, payload: object) -> str | None:
    """The id that an expression gives, as a text; None: it gives none."""
    value = expression(payload)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        return None
    return str(value)
