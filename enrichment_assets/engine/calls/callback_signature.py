"""Whether a stored callback is what it claims to be: its signature, from the bytes and headers as they came.

The token in the address names the call; a signature, where the workflow asks for one, says who sent the body.
"""

from __future__ import annotations

from enrichment_assets.domain.bodies import BodyEncodingError, plain_body
from enrichment_assets.domain.signatures import is_authentic
from enrichment_assets.domain.workflow import CALLBACK_SECRET
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.runs.contexts import Callback

UNVERIFIED = "signature: "
"""How the error of a callback begins that was not verified; `enrich replay` does not read such a body."""


def signature_fault(step: Step, callback: Callback, body: bytes) -> str | None:
    """Why a callback is not to be believed; None: it may be read.

    A signature says who wrote the body, not for which call: an id that came for another one was sent on by somebody.

    Senders that compress sign before or after; a signature of either form of the body is the sender's.
    """
    scheme = step.workflow.callback.signature
    if scheme is None:
        return None
    secret = step.secrets.get(CALLBACK_SECRET, "")
    if not secret:
        name = step.workflow.secrets.get(CALLBACK_SECRET, CALLBACK_SECRET)
        return f"{UNVERIFIED}the environment variable {name} is not set; set it, then replay this callback"
    if callback.repeats:
        return f"{UNVERIFIED}its webhook-id came before, for another call"
    bodies = [body]
    encoding = callback.headers.get("content-encoding")
    if encoding:
        try:
            bodies.append(plain_body(body, encoding))
        except BodyEncodingError as error:
            return f"{UNVERIFIED}{error}"
    if any(is_authentic(scheme, secret, callback.headers, form, callback.received_at) for form in bodies):
        return None
    return f"{UNVERIFIED}the body does not carry a valid {scheme.value} signature"
