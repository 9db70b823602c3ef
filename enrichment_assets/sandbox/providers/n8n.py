"""n8n: a workflow behind a webhook. It answers at once and posts its result later, or answers at the end.

The result is the input echoed with `status` and `result`; a path that starts with `unregistered` is a workflow that is
not active. n8n is JavaScript: a number beyond 2^53 comes back changed (docs.n8n.io, webhook and HTTP request nodes).
In the rarer shapes (setting `rare_shapes`) the last node posts what users' nodes post: a list of items, n8n's own item
with its `json`, the JSON as a text, or for a miss an empty object or a null result.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

from enrichment_assets.sandbox.companies import slug
from enrichment_assets.sandbox.exchange import Call, Charge, PlannedCallback, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path
from enrichment_assets.sandbox.providers.records import (
    about,
    company_in,
    company_record,
    is_person,
    person_in,
    subject_of,
    without_callback,
)

ONE = Decimal(1)
SAFE_INTEGER = 2**53


class N8n(SimulatedProvider):
    """Everything below `/n8n/webhook/{path}`."""

    name = "n8n"
    price = Decimal(0)
    needs_key = False

    def key(self, call: Call) -> str:
        """The webhook's path: n8n bills executions of workflows, not keys."""
        return call.path.removeprefix("/webhook").strip("/")

    def question(self, call: Call) -> Question:
        """One execution."""
        path = self.key(call)
        if not call.path.startswith("/webhook/") or not path:
            raise no_such_path(call)
        if path.startswith("unregistered"):
            raise Refusal(_not_registered(call, path))
        row = call.json()
        url, sent = row.get("callback_url"), without_callback(row)
        subject, asked = f"{path}|{subject_of(sent)}", f"{path}|{about(sent)}"

        def work() -> Reply:
            missed = call.misses(asked)
            result = None if missed else result_for(call.population, sent)
            output = {**through_javascript(sent), "status": "not_found" if missed else "success", "result": result}
            charges = (Charge(subject, ONE),)
            if call.query.get("respond") == "end":
                return json_reply(200, output, charges=charges, outcome="not_found" if missed else "found")
            reply = json_reply(200, {"message": "Workflow got started"}, charges=charges, outcome="accepted")
            if isinstance(url, str) and url:
                identity = f"n8n|{asked}"
                delay = call.callback_delay(identity)
                posted = _as_users_post(call, asked, output) if call.is_rare(asked) else output
                reply.callbacks = (PlannedCallback(url, orjson.dumps(posted), identity, delay),)
            return reply

        return Question("webhook", subject, work, about=asked)

    def unauthorised(self, call: Call) -> Reply:
        """403, as n8n answers a wrong webhook credential."""
        return json_reply(403, {"message": "Authorization data is wrong!"})


def result_for(population: Population, row: dict[str, Any]) -> dict[str, Any]:
    """What the workflow found out: a judgement and an opening line about the person or company in the row."""
    company = person_in(population, row).company if is_person(row) else company_in(population, row)
    score = population.rng("fit", company.domain).between(5, 98)
    return {
        "summary": company.description,
        "fit_score": score,
        "qualified": score >= 50,
        "reason": f"{company.employees} employees in {company.industry}",
        "opening_line": f"Saw that {company.name} is known for {company.keywords[0]} in {company.city}.",
        "company": company_record(company),
        "case_study_urls": [f"https://www.{company.domain}/customers/{slug(word)}" for word in company.keywords],
    }


def through_javascript(value: Any) -> Any:
    """A JSON value after JavaScript has read and written it: every number is a double, in its shortest digits."""
    if isinstance(value, dict):
        return {name: through_javascript(member) for name, member in value.items()}
    if isinstance(value, list):
        return [through_javascript(member) for member in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > SAFE_INTEGER:
        return int(Decimal(repr(float(value))))
    return value


def _as_users_post(call: Call, asked: str, output: dict[str, Any]) -> Any:
    """The result in one of the forms that last nodes of real workflows send."""
    rng = call.population.rng("n8n form", asked)
    if output["status"] == "not_found":
        return rng.pick(({}, {"result": None}))
    item = {"json": output, "pairedItem": {"item": 0}}
    return rng.pick(([output], [item], item, orjson.dumps(output).decode()))


def _not_registered(call: Call, path: str) -> Reply:
    message = f'The requested webhook "{call.method} {path}" is not registered.'
    return json_reply(404, {"code": 404, "message": message, "hint": "The workflow must be active."})
