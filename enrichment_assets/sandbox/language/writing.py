"""What the model writes: neutral of any dialect, with the faults that models make.

The manner is in the model's name, after a vendor's prefix (`openai/obedient-1`): `obedient` follows what its inputs
tell it, `inventive` makes everything up, the others make one mistake every time (`MANNERS`). Every other model quotes
its inputs. The same mistakes come now and then by the settings of the same names (`Behaviour`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from enrichment_assets.sandbox.companies import invented_employer
from enrichment_assets.sandbox.exchange import Call
from enrichment_assets.sandbox.language.material import material
from enrichment_assets.sandbox.language.obeying import Demands, ObedientMaker
from enrichment_assets.sandbox.language.quoting import QuotingMaker
from enrichment_assets.sandbox.schemas import ValueMaker
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id

CHARACTERS_PER_TOKEN = 4
REFUSAL = "I'm sorry, but I can't assist with that request."


class Stop(StrEnum):
    """Why a model stopped."""

    DONE = "done"
    LENGTH = "length"
    REFUSED = "refused"
    FAILED = "failed"


MANNERS: Mapping[str, str] = {
    "refusing": "refusals",
    "cut": "cut_answers",
    "failing": "failures_in_200",
    "invalid": "invalid_answers",
    "broken": "broken_json",
    "prose": "prose",
    "wrapped": "wrapped_json",
}
"""How a model's name begins -> the setting whose fault it makes every time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in no dialect.

    Attributes:
        model: Its name as it was asked for.
        prompt: What the model is shown, instructions (`system`) apart.
        schema: JSON Schema of the answer, if any.
        wants_json: Some JSON object, of no schema.
        most_tokens: Where the answer is cut off.
    """

    model: str
    prompt: str
    system: str = ""
    schema: Mapping[str, Any] | None = None
    wants_json: bool = False
    most_tokens: int | None = None

    @property
    def subject(self) -> str:
        """Who pays for what: the model, the inputs and the schema, whoever asks again with other words."""
        shown = material(self.prompt).inputs
        schema = orjson.dumps(self.schema, default=str) if self.schema else b""
        return hex_id(self.model, *[part for pair in shown.items() for part in pair], schema)

    @property
    def input_tokens(self) -> int:
        """What it counts as."""
        return tokens(self.system + self.prompt)


@dataclass(frozen=True, slots=True)
class Written:
    """What came out, and why no more did. The text of a refusal or of a failure is its message."""

    text: str
    stop: Stop = Stop.DONE

    @property
    def output_tokens(self) -> int:
        """What it counts as."""
        return tokens(self.text)


def write(call: Call, asked: Asked, identity: str, number: int = 0) -> Written:
    """The `number`-th answer to a question (from 0), in the manner of the model and with the faults of the settings."""
    fault = _fault(call, asked, identity)
    if fault == "refusals":
        return Written(REFUSAL, Stop.REFUSED)
    if fault == "failures_in_200":
        return Written("The model failed while it generated the answer.", Stop.FAILED)
    rng = call.population.rng("chat", identity, *([number] if number else []))
    text = _spoiled(_answer(asked, rng), fault)
    most = asked.most_tokens
    if fault == "cut_answers":
        most = min(most or tokens(text), max(1, tokens(text) // 2))
    return _cut(text, most)


def tokens(text: str) -> int:
    """How many tokens a text counts as."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def manner(model: str) -> str:
    """The first word of a model's name, without a vendor's prefix."""
    return model.rpartition("/")[2].partition("-")[0].casefold()


def _fault(call: Call, asked: Asked, identity: str) -> str:
    """The name of the setting whose fault this answer has, or nothing."""
    always = MANNERS.get(manner(asked.model))
    if always:
        return always
    most = call.behaviour.fault_attempts
    if most is not None and call.attempt >= most:
        return ""
    for setting in MANNERS.values():
        dice = ("refusal", identity) if setting == "refusals" else (setting, identity, call.attempt)
        if call.population.rng(*dice).chance(getattr(call.behaviour, setting)):
            return setting
    return ""


def _answer(asked: Asked, rng: SeededRandom) -> str:
    if asked.schema is not None:
        return orjson.dumps(_maker(asked, rng).value(asked.schema, 0)).decode()
    shown = material(asked.prompt)
    if manner(asked.model) == "obedient" and (said := Demands(shown.text).said.text):
        return said
    if asked.wants_json:
        return orjson.dumps({"answer": _sentence(asked, rng), "confidence": rng.between(10, 99)}).decode()
    return _sentence(asked, rng)


def _maker(asked: Asked, rng: SeededRandom) -> ValueMaker:
    schema = asked.schema or {}
    kind = manner(asked.model)
    if kind == "inventive":
        return ValueMaker(schema, rng)
    return (ObedientMaker if kind == "obedient" else QuotingMaker)(schema, rng, material(asked.prompt))


def _sentence(asked: Asked, rng: SeededRandom) -> str:
    sentences = () if manner(asked.model) == "inventive" else material(asked.prompt).sentences
    invented = f"{invented_employer(rng)} is a company worth writing to: it hires, and it grew last year."
    return f"{invented} {rng.pick(sentences)}" if sentences else invented


def _spoiled(text: str, fault: str) -> str:
    if fault == "broken_json":
        return text[:-1].replace('":', '"', 1) + ","
    if fault == "prose":
        return f"Sure! Here is what I found about them. {text.replace('{', '').replace('}', '').replace('[', '')}"
    if fault == "wrapped_json":
        return f"Here is the answer:\n\n```json\n{text}\n```\n\nLet me know if you need more."
    return text if fault != "invalid_answers" else _without_one_member(text)


def _without_one_member(text: str) -> str:
    """The answer with a member missing and another too many: no schema that closes its objects takes it."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    if not isinstance(value, dict):
        return orjson.dumps({"answer": value}).decode()
    return orjson.dumps({**dict(list(value.items())[1:]), "unasked": True}).decode()


def _cut(text: str, most: int | None) -> Written:
    if most is None or tokens(text) <= most:
        return Written(text)
    return Written(text[: most * CHARACTERS_PER_TOKEN], Stop.LENGTH)
