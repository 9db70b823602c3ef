"""The server: takes a request, lets the settings decide its fate, and lets the provider answer it.

In the order of a real service: credentials, quota, limits, faults that come before any work, time, work (billed here),
callbacks, faults that come after the work. What is billed stays billed when the answer is lost on its way.

It is aiohttp's low-level server, not an ASGI one: resetting a connection in the middle of an answer needs the socket.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from decimal import Decimal
from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from enrichment_assets.sandbox.billing import Billing
from enrichment_assets.sandbox.callbacks import CallbackSender
from enrichment_assets.sandbox.exchange import JSON, Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.faults import Fate, draw_fate, spoil, with_wrong_types
from enrichment_assets.sandbox.limits import RateLimiter, Room, parse_limits
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.providers import all_providers
from enrichment_assets.sandbox.providers.base import SimulatedProvider
from enrichment_assets.sandbox.seeded_random import digest
from enrichment_assets.sandbox.settings import Behaviour, SandboxSettings
from enrichment_assets.sandbox.web.styles import STYLES
from enrichment_assets.sandbox.wire import drip, hang, reset_mid_answer

KEPT_BEHAVIOURS = 1_000

RECEIVER_HEADER = "x-sandbox-receiver"
"""Whom the caller has listening: an address of anybody else in its request is counted as foreign and not called."""


class SandboxServer:
    """All state of one sandbox and the handler of its requests."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.callbacks = CallbackSender(settings)
        self.limiter = RateLimiter()
        self.apply(settings)
        self.reset()

    def apply(self, settings: SandboxSettings) -> None:
        """Take new settings; what was billed and promised stays."""
        self.settings = settings
        self.population = Population(settings.seed, STYLES[settings.web])
        self._behaviours: dict[tuple[str, str, str], Behaviour] = {}

    def reset(self) -> None:
        """Forget everything that happened: bills, attempts, promises, limits, callbacks. Settings stay."""
        self.providers: dict[str, SimulatedProvider] = all_providers()
        self.billing = Billing(self.settings.recent_calls)
        self.attempts: dict[bytes, int] = defaultdict(int)
        self.limiter.clear()
        self.callbacks.clear()

    def prices(self) -> dict[str, Decimal]:
        """Money per unit and provider."""
        return {name: self.settings.prices.get(name, provider.price) for name, provider in self.providers.items()}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request below `/<provider>/`."""
        _, _, rest = request.path.partition("/")
        name, slash, path = rest.partition("/")
        provider = self.providers.get(name)
        if provider is None:
            known = ", ".join(sorted(self.providers))
            return _response(json_reply(404, {"error": f"no such provider; known: {known}; admin: /_sandbox"}))
        try:
            behaviour = self._behaviour(name, request)
        except (ValueError, ValidationError, TypeError) as error:
            return _response(json_reply(400, {"error": f"sandbox header: {error}"}))
        call = Call(
            provider=name,
            method=request.method,
            path=slash + path,
            query=request.query if request.query_string else {},
            headers=request.headers,
            body=await request.read() if request.body_exists else b"",
            settings=self.settings,
            behaviour=behaviour,
            population=self.population,
        )
        call.key = provider.key(call)
        started = time.perf_counter()
        operation, outcome, reply = await self._exchange(request, provider, call)
        self.billing.count(name, call.key, operation, outcome)
        if self.billing.recent.maxlen:
            self._remember(call, operation, outcome, reply, started)
        if reply.after:
            await asyncio.sleep(reply.after)
        return await drip(request, reply, behaviour.drip) if behaviour.drip else _response(reply)

    def _behaviour(self, provider: str, request: web.BaseRequest) -> Behaviour:
        scenario = request.headers.get("x-sandbox-scenario", "")
        faults = request.headers.get("x-sandbox-faults", "")
        name = (provider, scenario, faults)
        known = self._behaviours.get(name)
        if known is None:
            overrides: dict[str, Any] = self.settings.scenario(scenario) if scenario else {}
            overrides = {**overrides, **(orjson.loads(faults) if faults else {})}
            known = self.settings.behaviour(provider, overrides)
            if len(self._behaviours) < KEPT_BEHAVIOURS:
                self._behaviours[name] = known
        return known

    async def _exchange(
        self, request: web.BaseRequest, provider: SimulatedProvider, call: Call
    ) -> tuple[str, str, Reply]:
        """Operation, outcome (for the counts) and reply of one call."""
        if self._is_refused_key(provider, call):
            return "unauthorised", "unauthorised", provider.unauthorised(call)
        try:
            question = provider.question(call)
        except Refusal as refusal:
            return "refused", "refused", refusal.reply
        quota = call.behaviour.quota
        if quota is not None and self.billing.spent[call.provider, call.key] >= quota:
            return question.operation, "exhausted", provider.exhausted(call)
        room = self._room(provider, call, question)
        headers = provider.limit_headers
        line = (call.provider, call.key)
        if room.retry_after is not None:
            reply = provider.rate_limited(call, question.operation, room.retry_after)
            reply.headers.update(headers(room, call, self.limiter.under_way(line)))
            return question.operation, "rate_limited", reply
        if not self.limiter.enter(line, call.behaviour.concurrency):
            return question.operation, "too_many_at_once", provider.too_many_at_once(call, question.operation)
        try:
            outcome, reply = await self._answer(request, provider, call, question)
            reply.headers.update(headers(room, call, self.limiter.under_way(line)))
        finally:
            self.limiter.leave(line)
        return question.operation, outcome, reply

    def _is_refused_key(self, provider: SimulatedProvider, call: Call) -> bool:
        if call.key.startswith("invalid") or call.key in self.settings.rejected_keys:
            return True
        return not call.key and provider.needs_key and self.settings.require_key

    def _room(self, provider: SimulatedProvider, call: Call, question: Question) -> Room:
        text = call.behaviour.limits
        if text is None:
            return Room()
        if text == "documented":
            documented = provider.documented_limits
            text = documented.get(question.operation, documented.get("*", ""))
        name = (call.provider, call.key, question.operation)
        return self.limiter.take(name, parse_limits(text), time.monotonic())

    async def _answer(
        self, request: web.BaseRequest, provider: SimulatedProvider, call: Call, question: Question
    ) -> tuple[str, Reply]:
        """Faults before the work, the time it takes, the work, faults after it."""
        behaviour = call.behaviour
        fate = Fate.NORMAL
        about = question.about or question.identity
        if behaviour.is_faulty:
            asked = digest(call.provider, question.operation, about)
            call.attempt, self.attempts[asked] = self.attempts[asked], self.attempts[asked] + 1
            rng = self.population.rng("fate", call.provider, question.operation, about, call.attempt)
            fate = draw_fate(behaviour, rng, call.attempt)
        if fate is Fate.RATE_LIMITED:
            return fate.value, provider.rate_limited(call, question.operation, 1.0)
        if not behaviour.latency_of.is_zero:
            rng = self.population.rng("latency", call.provider, about, call.attempt)
            await asyncio.sleep(behaviour.latency_of.sample(rng))
        if fate is Fate.ERROR:
            status = self.population.rng("status", about, call.attempt).pick(behaviour.error_status)
            return fate.value, provider.server_error(call, status)
        if not behaviour.fault_after_work and fate in {Fate.TIMEOUT, Fate.RESET}:
            await self._lose(request, fate, behaviour, None)
            return f"{fate}_before_work", Reply(503, b"")
        reply = self._work(provider, call, question)
        if fate in {Fate.TIMEOUT, Fate.RESET}:
            await self._lose(request, fate, behaviour, reply)
            return fate.value, reply
        if fate is Fate.GARBAGE:
            rng = self.population.rng("garbage", about, call.attempt)
            reply.body, reply.content_type = spoil(reply.body, reply.content_type, behaviour.garbage_kind, rng)
        elif fate is Fate.WRONG_TYPES:
            reply.body = with_wrong_types(reply.body)
        return (reply.outcome if fate is Fate.NORMAL else fate.value), reply

    def _work(self, provider: SimulatedProvider, call: Call, question: Question) -> Reply:
        """Make the answer, bill it and arrange its callbacks; a repeated idempotency key gets the first answer."""
        idempotency_key = call.headers.get("idempotency-key")
        honours = call.behaviour.honour_idempotency
        if honours is None:
            honours = provider.honours_idempotency
        asked = f"{question.operation}|{question.identity}"
        if idempotency_key and honours:
            kept = self.billing.answered(call.provider, call.key, idempotency_key)
            if kept is not None and kept[0] != asked:
                error = {"error": "this idempotency key was used for another request"}
                return json_reply(422, error, outcome="refused")
            if kept is not None:
                return _copy(kept[1], replayed=True)
        try:
            reply = question.work()
        except Refusal as refusal:
            return refusal.reply
        self.billing.charge(call.provider, call.key, question.operation, reply, idempotency_key)
        receiver = call.headers.get(RECEIVER_HEADER)
        for planned in reply.callbacks:
            if receiver and not planned.url.startswith(f"{receiver.rstrip('/')}/"):
                self.callbacks.counts["foreign"] += 1
                continue
            self.callbacks.schedule(self.settings.seed, call.behaviour, planned, call.attempt)
        if idempotency_key and honours:
            self.billing.keep(call.provider, call.key, idempotency_key, asked, _copy(reply, replayed=False))
        return reply

    @staticmethod
    async def _lose(request: web.BaseRequest, fate: Fate, behaviour: Behaviour, reply: Reply | None) -> None:
        if fate is Fate.TIMEOUT:
            await hang(request, behaviour.hang)
        else:
            await reset_mid_answer(request, reply)

    def _remember(self, call: Call, operation: str, outcome: str, reply: Reply, started: float) -> None:
        self.billing.recent.append(
            {
                "provider": call.provider,
                "operation": operation,
                "method": call.method,
                "path": call.path,
                "outcome": outcome,
                "status": reply.status,
                "units": str(reply.units),
                "attempt": call.attempt,
                "idempotency_key": call.headers.get("idempotency-key"),
                "milliseconds": round((time.perf_counter() - started) * 1000, 2),
            }
        )


def _copy(reply: Reply, *, replayed: bool) -> Reply:
    """A reply that can be spoiled without spoiling the one that is kept; a replay bills and calls back nothing."""
    headers = {**reply.headers, **({"idempotency-replayed": "true"} if replayed else {})}
    return Reply(reply.status, reply.body, reply.content_type, headers, outcome=reply.outcome)


def _response(reply: Reply) -> web.Response:
    headers = {"content-type": reply.content_type or JSON, **reply.headers}
    return web.Response(status=reply.status, body=reply.body, headers=headers)
