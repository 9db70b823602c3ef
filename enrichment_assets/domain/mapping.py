"""Reading what a provider answered: JSON bytes in, a `Reading` out, by the JMESPath expressions of a workflow.

Pure, and never surprised: whatever a provider sends, the only exception that leaves this module is `ContractError`.
What a status code means is the provider's business (`resources/`); this module reads bodies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import Answer, Reading
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition

FINAL_URL_HEADERS = ("zr-final-url", "content-location")
"""Response headers in which a scraper says where it ended up; the first that is there wins."""

_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._-]+)", re.IGNORECASE)


class ContractError(EnrichError):
    """A payload is not what its workflow says it is. The bytes are kept; the state becomes FAILED(contract)."""


class Expression:
    """One compiled JMESPath expression.

    Raises:
        ConfigurationError: The text is not JMESPath; names `where` (for people: workflow and field).
    """

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        try:
            self._compiled = jmespath.compile(text)
        except (JMESPathError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise ConfigurationError(f"{where}: {text!r} is not a JMESPath expression: {reason}") from error
        self._path = _plain_path(self._compiled.parsed)

    def __call__(self, data: Any) -> Any:
        """Evaluate over `data`; raises `ContractError` where the data does not fit the expression."""
        if self._path is not None:
            for name in self._path:
                data = data.get(name) if isinstance(data, Mapping) else None
            return data
        try:
            return self._compiled.search(data)
        except Exception as error:  # a hostile payload reaches type errors deep inside the interpreter
            raise ContractError(f"{self.where}: {self.text!r} does not fit the payload ({_brief(error)})") from error


def condition(expression: str) -> Callable[[Mapping[str, Any]], bool]:
    """Compile a `run_if`: true unless the result is null, false or empty (JMESPath's truth; 0 is true)."""
    compiled = Expression(expression, "run_if")
    return lambda fields: truthy(compiled(fields))


def fields_named(expression: str) -> set[str]:
    """Top-level fields that an expression reads: `email && company.name` names `email` and `company`."""
    return _names(Expression(expression, "expression")._compiled.parsed)


def truthy(value: Any) -> bool:
    """JMESPath's truth: null, false, and empty strings, lists and objects are false; 0 is true."""
    return not (value is None or value is False or value == "" or value == [] or value == {})


def blank(value: Any) -> bool:
    """True for null, white space and empty lists or objects: such a value provides nothing."""
    return value is None or value == [] or value == {} or (isinstance(value, str) and not value.strip())


class ResponseReader:
    """Reads the answers, callbacks and poll bodies of one workflow; compile once per step."""

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self._workflow = workflow
        response, callback, poll = workflow.response, workflow.callback, workflow.poll
        self._provides = {
            field: self._expression(f"provides.{field}", text) for field, text in workflow.provides.items()
        }
        self._found_if = self._optional("response.found_if", response.found_if)
        self._error_if = self._optional("response.error_if", response.error_if)
        self._cost = self._optional("response.cost", response.cost)
        self._external_id = self._optional("response.external_id", response.external_id)
        emits = workflow.emits
        self._emits = self._optional("emits.items", emits.items if emits else None)
        self._emits_key = self._optional("emits.key", emits.key if emits else None)
        self._callback_found_if = self._optional("callback.found_if", callback.found_if)
        self._callback_error_if = self._optional("callback.error_if", callback.error_if)
        self._callback_payload = self._expression("callback.payload", callback.payload)
        self._pending_if = self._optional("poll.pending_if", poll.pending_if if poll else None)
        self._poll_payload = self._expression("poll.payload", poll.payload if poll else "@")

    def read(self, answer: Answer) -> Reading:
        """Read the answer to the request itself.

        Of an asynchronous workflow that is the acknowledgement: its body may be anything, only `external_id` and
        `cost` are of use, no field is provided and the outcome means nothing yet.
        """
        if self._workflow.mode is Mode.ASYNC:
            return self._read_acknowledgement(answer)
        payload = self._text_payload(answer) if self._workflow.response.format == "text" else self._json(answer.body)
        self._refuse_errors(self._error_if, payload)
        return self._reading(payload, payload, self._found_if)

    def read_callback(self, body: bytes) -> Reading:
        """Read a callback: `error_if` and `found_if` see the body, `provides` sees `callback.payload` of it."""
        return self._read_delivered(self._json(body))

    def read_poll(self, answer: Answer) -> Reading | None:
        """Read the answer to a poll; None: not ready yet.

        `poll.payload` of the body is what the callback would have carried, and is read like one. Ask this before the
        provider's `classify`: a "not ready yet" may come with an error status.
        """
        poll = self._workflow.poll
        if poll is None:
            raise ConfigurationError(f"{self._workflow.slug}: has no `poll`")
        if answer.status in poll.pending_status:
            return None
        body = self._json(answer.body)
        if self._pending_if is not None and truthy(self._pending_if(body)):
            return None
        if not 200 <= answer.status < 300:
            raise ContractError(f"{self._workflow.slug}: the poll was answered with HTTP {answer.status}")
        return self._read_delivered(self._poll_payload(body))

    def _read_delivered(self, body: Any) -> Reading:
        self._refuse_errors(self._callback_error_if, body)
        return self._reading(body, self._callback_payload(body), self._callback_found_if)

    def _read_acknowledgement(self, answer: Answer) -> Reading:
        try:
            payload = self._json(answer.body)
        except ContractError:
            payload = self._text_payload(answer)
        self._refuse_errors(self._error_if, payload)
        return Reading(
            outcome=Outcome.NOT_FOUND,
            payload=payload,
            fields={},
            cost_units=self._cost_units(payload),
            external_id=self._id_of(payload),
        )

    def _reading(self, body: Any, payload: Any, found_if: Expression | None) -> Reading:
        fields = {}
        for name, expression in self._provides.items():
            value = expression(payload)
            if not blank(value):
                fields[name] = value
        if found_if is not None:
            found = truthy(found_if(body))
        else:
            found = bool(fields) if self._provides else not blank(payload)
        return Reading(
            outcome=Outcome.FOUND if found else Outcome.NOT_FOUND,
            payload=payload,
            fields=fields if found else {},
            cost_units=self._cost_units(body),
            external_id=self._id_of(body),
            emitted=self._emitted(payload) if found else (),
        )

    def _refuse_errors(self, error_if: Expression | None, body: Any) -> None:
        if error_if is not None and truthy(error_if(body)):
            raise ContractError(f"{self._workflow.slug}: the payload is an error ({error_if.text} holds)")

    def _cost_units(self, body: Any) -> Decimal | None:
        """The reported cost, or None: a cost that cannot be read must not lose an answer that was paid for."""
        value = self._cost(body) if self._cost is not None else None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            units = Decimal(str(value))
        except InvalidOperation:
            return None
        return units if units.is_finite() and units >= 0 else None

    def _id_of(self, body: Any) -> str | None:
        value = self._external_id(body) if self._external_id is not None else None
        if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
            return None
        return str(value)

    def emitted_key(self, element: Mapping[str, Any]) -> Any:
        """What `emits.key` gives for an emitted object; null where it is not set or does not fit."""
        try:
            return None if self._emits_key is None else self._emits_key(element)
        except ContractError:
            return None

    def _emitted(self, payload: Any) -> tuple[Any, ...]:
        value = self._emits(payload) if self._emits is not None else None
        if value is None:
            return ()
        if not isinstance(value, list):
            raise ContractError(f"{self._workflow.slug}: `emits` did not give a list of objects")
        return tuple(value)

    def _json(self, body: bytes) -> Any:
        try:
            return parse_json(body)
        except ValueError as error:
            raise ContractError(f"{self._workflow.slug}: the body is not JSON ({error})") from error

    def _text_payload(self, answer: Answer) -> dict[str, Any]:
        charset = _CHARSET.search(answer.headers.get("content-type", ""))
        try:
            text = answer.body.decode(charset.group(1) if charset else "utf-8", errors="replace")
        except (LookupError, ValueError):
            text = answer.body.decode("utf-8", errors="replace")
        final_url = next((answer.headers[name] for name in FINAL_URL_HEADERS if name in answer.headers), None)
        # Postgres' jsonb cannot hold NUL.
        return {"text": text.replace("\0", "\ufffd"), "headers": dict(answer.headers), "final_url": final_url}

    def _expression(self, field: str, text: str) -> Expression:
        return Expression(text, f"workflow {self._workflow.slug}, {field}")

    def _optional(self, field: str, text: str | None) -> Expression | None:
        return None if text is None else self._expression(field, text)


def _brief(error: Exception) -> str:
    return type(error).__name__  # the message may quote the payload: personal data


def _plain_path(node: Mapping[str, Any]) -> list[str] | None:
    """`a.b.c` as its names, or None. Most expressions are such paths; walking them is ten times faster."""
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] != "subexpression":
        return None
    paths = [_plain_path(child) for child in node["children"]]
    return None if any(path is None for path in paths) else [name for path in paths for name in path or ()]


_SCOPED_BY_FIRST = frozenset({"subexpression", "index_expression", "pipe", "projection", "value_projection"})
"""Nodes whose first child sees the current value, and whose others see what the first one gave."""


def _names(node: Mapping[str, Any]) -> set[str]:
    kind, children = node["type"], node["children"]
    if kind == "field":
        return {node["value"]}
    if kind in _SCOPED_BY_FIRST or kind == "filter_projection":
        first, *rest = children
        keeps_scope = kind != "filter_projection" and first["type"] in ("identity", "current")
        return _names(first).union(*(_names(child) for child in rest)) if keeps_scope else _names(first)
    if kind == "expref":
        return set()
    return set().union(*(_names(child) for child in children))
