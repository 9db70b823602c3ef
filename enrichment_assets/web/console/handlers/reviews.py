"""Review: which batches have drafts that wait, and the queue of one or of all, a draft at a time beside its facts."""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.drafts import Standing
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.insight.attention import attention
from enrichment_assets.services.review import asking, deciding
from enrichment_assets.services.review.listing import Found, Wanted, find_draft, list_drafts
from enrichment_assets.services.shapes.reviews import Review, ReviewDetail
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.rendering import cell
from enrichment_assets.web.console.views import Redirect, Shown, View

_SHOWN = 200
_ASKED = 20


def list_(call: Call) -> Shown:
    """The batches whose drafts or questions wait for a person."""
    call.checked("said")
    found = attention(call.hq, call.settings, call.client).waiting
    waiting = [one for one in found if one.kind in ("draft", "question")]
    return View("review.html", "Review", {"waiting": waiting, "client": call.client})


def queue(call: Call) -> Shown:
    """The drafts of a batch that stand somewhere, and one of them whole."""
    return _queue(call, f"Review of {call.path['batch']}", call.path["batch"])


def every(call: Call) -> Shown:
    """The drafts of all batches of a client, or of all clients that whoever looks sees, in one queue."""
    return _queue(call, f"All drafts of {call.client}" if call.client else "All drafts", None)


def _queue(call: Call, title: str, key: str | None) -> Shown:
    call.checked("state", "draft", "said")
    state = _state(call.query.get("state", Standing.WAITING.value))
    drafts = list_drafts(call.hq, Wanted(batch=key, client=call.client, state=state), _SHOWN)
    named = call.query.get("draft") or (drafts[0].name if drafts else None)
    found = None if named is None else find_draft(call.hq, named, batch=key, client=call.client)
    context = {
        "title": title,
        "batch_key": key,
        "client": None if key else call.query.get("client"),
        "state": state,
        "states": list(Standing),
        "drafts": [Review.of(one) for one in drafts],
        "most": _SHOWN,
        "found": None if found is None else ReviewDetail.of(found),
        "next": _next([one.name for one in drafts], named),
    }
    return View("review_queue.html", title, context)


def questions(call: Call) -> Shown:
    """What a batch asks people, each with a form made of its answer's schema."""
    call.checked("said")
    key = call.path["batch"]
    found = [one for one in asking.list_questions(call.hq, batch=key, limit=_ASKED) if not one.answered]
    return View("questions.html", f"Questions of {key}", {"batch_key": key, "questions": found, "most": _ASKED})


def answer(call: Call) -> Shown:
    """Answer one: it goes the way of any callback."""
    name = call.text("question", needed=True) or ""
    texts = {key.removeprefix("field."): str(text) for key, text in call.body.items() if key.startswith("field.")}
    call.checked("question", *(f"field.{key}" for key in texts))
    key = call.path["batch"]
    if name not in {one.name for one in asking.list_questions(call.hq, batch=key)}:
        raise NotFoundError(f"batch {key} asks nothing of the name {name[:80]!r}", code="review.no_question")
    asking.answer(call.hq, name, {field: text for field, text in texts.items() if text}, actor=call.known.actor)
    return Redirect(f"/batches/{key}/questions", "answered")


def decide(call: Call) -> Shown:
    """Approve, reject or edit one draft: of its bytes as they were shown, and no others."""
    name, sha256 = call.text("draft", needed=True) or "", call.text("sha256", needed=True) or ""
    action, state = call.text("action", needed=True), call.text("state") or Standing.WAITING.value
    note, following, of = call.text("note") or None, call.text("next") or None, call.text("of")
    texts = {key.removeprefix("field."): str(text) for key, text in call.body.items() if key.startswith("field.")}
    call.checked("draft", "sha256", "action", "state", "note", "next", "of", *(f"field.{key}" for key in texts))
    found, actor = find_draft(call.hq, name, batch=call.path["batch"]), call.known.actor
    queue_of = {"all": "/review/drafts?", "client": f"/review/drafts?client={found.reviewed.client}&"}
    here = queue_of.get(of or "", f"/batches/{call.path['batch']}/review?") + f"state={_state(state).value}"
    try:
        selections = deciding.named([found], sha256)
    except ConfigurationError as error:
        if error.code != "review.other_bytes":
            raise
        return Redirect(f"{here}&draft={name}", "changed-meanwhile")
    written = _other_words(texts, found)
    match action:
        case "approve" if written:  # nobody has seen these bytes stored: what was typed is kept, and approved next
            deciding.edit(call.hq, call.settings, name, written, actor=actor, note=note)
            return Redirect(f"{here}&draft={name}", "edited-not-approved")
        case "approve":
            done = [deciding.approve(call.hq, one, actor=actor, note=note) for one in selections]
        case "reject":
            done = [deciding.reject(call.hq, one, actor=actor, reason=note or "") for one in selections]
        case "edit":
            if written:
                deciding.edit(call.hq, call.settings, name, written, actor=actor, note=note)
            return Redirect(f"{here}&draft={name}", "edited")
        case _:
            raise invalid(action="is approve, reject or edit")
    there = f"{here}&draft={following}" if following else here
    return Redirect(there, f"{action}d" if action == "approve" else "rejected") if any(done) else Redirect(here)


def _other_words(texts: Mapping[str, str], found: Found) -> dict[str, str]:
    """The fields whose text is another than was shown. Browsers send line ends as CRLF, which nobody typed."""
    shown = {field: cell(value).replace("\r\n", "\n") for field, value in found.reviewed.draft.values.items()}
    sent = {field: text.replace("\r\n", "\n") for field, text in texts.items()}
    return {field: text for field, text in sent.items() if text != shown.get(field)}


def _next(names: list[str], named: str | None) -> str | None:
    """The draft after that one; None: it is the last, or none of them."""
    place = names.index(named) + 1 if named in names else 0
    return names[place] if 0 < place < len(names) else None


def _state(text: str) -> Standing:
    try:
        return Standing(text)
    except ValueError:
        raise invalid(state=f"is one of: {', '.join(one.value for one in Standing)}") from None
