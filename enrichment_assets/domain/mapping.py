"""Reading what a provider answered: JSON bytes in, a `Reading` out, by the JMESPath expressions of a workflow.

Pure, and never surprised: whatever a provider sends, the only exception that leaves this module is `ContractError`.
What a status code means is the provider's business (`resources/`); this module reads bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from types import UnionType
from typing import Any

from enrichment_assets.domain.charsets import charset_of
from enrichment_assets.domain.contact_records import ContactReader
from enrichment_assets.domain.contacts import best_of_answer
from enrichment_assets.domain.envelopes import opened
from enrichment_assets.domain.errors import ConfigurationError, ContractError, ReportedError
from enrichment_assets.domain.expressions import Expression, blank, truthy
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.map_answers import map_payload
from enrichment_assets.domain.money import units_of
from enrichment_assets.domain.page_answers import NoContent, page_payload, text_payload, with_opened_page
from enrichment_assets.domain.provider import Answer, Reading
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.domain.text_json import TextOpener
from enrichment_assets.domain.values import clean_fields
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition


class ResponseReader:
    """Reads the answers, callbacks and poll bodies of one workflow; compile once per step."""

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self._workflow = workflow
        response, callback, poll = workflow.response, workflow.callback, workflow.poll
        self._provides = {
            field: self._expression(f"provides.{field}", text) for field, text in workflow.provides.items()
        }
        self._contacts = ContactReader(workflow.emails, workflow.phones, self._expression)
        self._found_if = self._optional("response.found_if", response.found_if)
        self._error_if = self._optional("response.error_if", response.error_if)
        self._cost = self._optional("response.cost", response.cost)
        self._external_id = self._optional("response.external_id", response.external_id)
        self._open_text = self._opener(response.decode)
        emits = workflow.emits
        self._emits = self._optional("emits.items", emits.items if emits else None)
        self._emits_key = self._optional("emits.key", emits.key if emits else None)
        self._callback_found_if = self._optional("callback.found_if", callback.found_if)
        self._callback_error_if = self._optional("callback.error_if", callback.error_if)
        self._callback_payload = self._expression("callback.payload", callback.payload)
        self._pending_if = self._optional("poll.pending_if", poll.pending_if if poll else None)
        self._poll_payload = self._expression("poll.payload", poll.payload if poll else "@")
        reading = [*self._provides.values(), self._callback_found_if, self._callback_payload, self._emits]
        self._reads_lists = any(expression is not None and expression.reads_lists for expression in reading)

    def read(self, answer: Answer) -> Reading:
        """Read the answer to the request itself.

        Of an asynchronous workflow that is the acknowledgement: its body may be anything, only `external_id` and
        `cost` are of use, no field is provided and the outcome means nothing yet.
        """
        if self._workflow.mode is Mode.ASYNC:
            return self._read_acknowledgement(answer)
        notes: list[str] = []
        read = partial(self._read_answer, notes=notes)
        try:
            reading = self._read_wrapped(self._payload(answer, notes), read, self._found_if, list | None)
        except NoContent as page:
            return self._missed(page)
        return replace(reading, note="; ".join(notes)) if notes else reading

    def _payload(self, answer: Answer, notes: list[str]) -> Any:
        response = self._workflow.response
        if response.format == "text":
            return text_payload(answer)
        if response.format == "map":
            return map_payload(self._document(answer, notes))
        is_page = response.format == "page" and response.decode is None
        return page_payload(answer, with_html=response.with_html) if is_page else self._document(answer, notes)

    def _missed(self, page: NoContent) -> Reading:
        return replace(page.reading(), cost_units=self._cost_units(page.payload))

    def _read_answer(self, body: Any, notes: list[str]) -> Reading:
        body = self._with_opened_text(body, notes)
        self._refuse_errors(self._error_if, body)
        return self._reading(body, body, self._found_if)

    def read_callback(self, body: bytes, content_type: str = "") -> Reading:
        """Read a callback: `error_if` and `found_if` see the body, `provides` sees `callback.payload` of it.

        Where the mapping finds nothing in the body, it looks at what is wrapped in it (`domain.envelopes`).
        """
        notes: list[str] = []
        document = self._json(body, notes, {"content-type": content_type})
        read = partial(self._read_delivered, notes=notes)
        misses = list if self._reads_lists else dict
        try:
            reading = self._read_wrapped(document, read, self._callback_found_if, misses)
        except NoContent as page:
            return self._missed(page)
        return replace(reading, note="; ".join(notes)) if notes else reading

    def read_poll(self, answer: Answer) -> Reading | None:
        """Read the answer to a poll; None: not ready yet.

        Ask this before the provider's `classify`: a "not ready yet" may come with an error status.
        """
        notes: list[str] = []
        delivered = self.polled(answer, notes)
        if delivered is None:
            return None
        try:
            return replace(self._read_delivered(delivered[0], notes), note="; ".join(notes) or None)
        except NoContent as page:
            return self._missed(page)

    def polled(self, answer: Answer, notes: list[str]) -> tuple[Any] | None:
        """What the callback would have carried: `poll.payload` of the body; None: not ready yet."""
        poll = self._workflow.poll
        if poll is None:
            raise ConfigurationError(f"{self._workflow.slug}: has no `poll`", code="workflow.no_poll")
        if answer.status in poll.pending_status:
            return None
        body = self._json(answer.body, notes, answer.headers)
        if self._pending_if is not None and truthy(self._pending_if(body)):
            return None
        if not 200 <= answer.status < 300:
            raise ContractError(
                f"{self._workflow.slug}: the poll was answered with HTTP {answer.status}", code="answer.poll_status"
            )
        return (self._poll_payload(body),)

    def _read_wrapped(
        self, body: Any, read: Callable[[Any], Reading], found_if: Expression | None, misses: type | UnionType
    ) -> Reading:
        """The first form of the body in which the mapping finds something; else what the innermost says.

        Args:
            body: What came.
            read: Reads one form of it.
            found_if: The condition that `read` uses.
            misses: What beside an object may say that nothing was found.

        Raises:
            ContractError: Also where all that is left is nothing that a miss could be told from.
        """
        *outer, innermost = opened(body)
        for form in outer:
            try:
                reading = read(form)
            except ReportedError:
                raise
            except ContractError:
                continue
            if self._is_addressed(form, reading, found_if):
                return reading
        reading = read(innermost)
        is_answer = innermost == [] or isinstance(innermost, Mapping | misses)
        has_nothing = reading.outcome is Outcome.NOT_FOUND or (self._provides and not reading.fields)
        if has_nothing and not is_answer:
            raise ContractError(
                f"{self._workflow.slug}: the body is {_kind(innermost)}, not an object", code="answer.not_an_object"
            )
        return reading

    def _is_addressed(self, form: Any, reading: Reading, found_if: Expression | None) -> bool:
        """Whether the mapping means this form: it picked something out of it, rather than to take whatever comes."""
        if reading.outcome is Outcome.NOT_FOUND:
            return False
        if not self._provides:
            return found_if is None or isinstance(form, Mapping)
        return any(value is not form and value != form for value in reading.fields.values())

    def _read_delivered(self, body: Any, notes: list[str]) -> Reading:
        body = self._with_opened_text(body, notes)
        self._refuse_errors(self._callback_error_if, body)
        return self._reading(body, self._callback_payload(body), self._callback_found_if)

    def _read_acknowledgement(self, answer: Answer) -> Reading:
        try:
            payload = self._json(answer.body, [], answer.headers)
        except ContractError:
            payload = text_payload(answer)
        self._refuse_errors(self._error_if, payload)
        return Reading(
            outcome=Outcome.NOT_FOUND,
            payload=payload,
            fields={},
            cost_units=self._cost_units(payload),
            external_id=self._id_of(payload),
        )

    def _reading(self, body: Any, payload: Any, found_if: Expression | None) -> Reading:
        raw = {name: expression(payload) for name, expression in self._provides.items()}
        fields, rejected = clean_fields(raw, self._workflow.types, self._workflow.columns)
        if self._contacts.declared:
            records = self._contacts.read(payload, fields.get("country") or fields.get("company_country"))
            fields = {**best_of_answer(records), **fields, **records}
        if found_if is None:
            found = bool(fields) if self._provides or self._contacts.declared else not blank(payload)
        else:  # `found_if: data.email` of an address that is none found nothing
            found = truthy(found_if(body)) and not blank(payload)
            found = found and not any(
                expression.text == found_if.text and name in rejected and name not in fields
                for name, expression in self._provides.items()
            )
        return Reading(
            outcome=Outcome.FOUND if found else Outcome.NOT_FOUND,
            payload=payload,
            fields=fields if found else {},
            cost_units=self._cost_units(body),
            external_id=self._id_of(body),
            emitted=self._emitted(payload) if found else (),
            rejected=rejected,
        )

    def _refuse_errors(self, error_if: Expression | None, body: Any) -> None:
        if error_if is not None and truthy(error_if(body)):
            raise ReportedError(
                f"{self._workflow.slug}: the payload is an error ({error_if.text} holds)", code="answer.says_error"
            )

    def _cost_units(self, body: Any) -> Decimal | None:
        """The reported cost, or None: a cost that cannot be read must not lose an answer that was paid for."""
        return None if self._cost is None else units_of(self._cost(body))

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
            raise ContractError(
                f"{self._workflow.slug}: `emits` did not give a list of objects", code="answer.emits_no_list"
            )
        return tuple(value)

    def _json(self, body: bytes, notes: list[str], headers: Mapping[str, str]) -> Any:
        try:
            return parse_json(body, notes, charset_of(headers.get("content-type", "")))
        except ValueError as error:
            raise ContractError(
                f"{self._workflow.slug}: the body is not JSON ({error})", code="answer.not_json"
            ) from error

    def _document(self, answer: Answer, notes: list[str]) -> Any:
        return answer.document[0] if answer.document else self._json(answer.body, notes, answer.headers)

    def _with_opened_text(self, body: Any, notes: list[str]) -> Any:
        if self._open_text is None:
            return body
        if self._workflow.response.format == "page":
            return with_opened_page(self._open_text, body)
        try:
            return self._open_text(body, notes)
        except ValueError as error:
            raise ContractError(
                f"{self._workflow.slug}, response.decode: {error}", code="answer.not_decodable"
            ) from error

    def _expression(self, field: str, text: str) -> Expression:
        return Expression(text, f"workflow {self._workflow.slug}, {field}")

    def _opener(self, path: str | None) -> TextOpener | None:
        if path is None:
            return None
        expression = self._expression("response.decode", path)
        try:
            return TextOpener(path)
        except ValueError as error:
            raise ConfigurationError(
                f"{expression.where}: {path!r}: {error}", code="workflow.field_path_invalid"
            ) from error

    def _optional(self, field: str, text: str | None) -> Expression | None:
        return None if text is None else self._expression(field, text)


def _kind(value: Any) -> str:
    """What a JSON value is, for people."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "null" if value is None else "text" if isinstance(value, str) else "a single value"
