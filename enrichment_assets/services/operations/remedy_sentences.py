"""What to do about what stands still, in words that name no command. Entry points say what the platform is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from enrichment_assets.domain.hints import Action, Hint

PLATFORM = "platform"
"""What a hint's `process` is where it is the platform's own."""

SENTENCES: Mapping[Action, str] = {
    Action.SET_VARIABLE_OF_PLATFORM: (
        "set {variable} where {platform} is started (or in its file .env), and start that again"
    ),
    Action.RESTART_WITH_VARIABLE: "{variable} is set in this shell: start {platform} again from here",
    Action.SET_VARIABLE: "set {variable} (or write it into the file .env), then run the batch again",
    Action.RUN_WITH_VARIABLE: "{variable} is set in this shell: run the batch again from here",
    Action.SET_RIGHT: "set it right where {process} is started, and start that again",
    Action.RESTART_FOR_SIMULATOR: "start {platform} again {with_simulator}, or launch the upload for real providers",
    Action.RESTART_FOR_PROVIDERS: "start {platform} again {without_simulator}, or launch the upload for the simulator",
    Action.RUN_FOR_SIMULATOR: "set ENRICH_SANDBOX_URL and run the batch again, or launch the upload for real providers",
    Action.RUN_FOR_PROVIDERS: (
        "unset ENRICH_SANDBOX_URL and run the batch again, or launch the upload for the simulator"
    ),
    Action.CHECK_KEY: "check the key of {process}, then retry",
    Action.CHECK_KEY_IN: "check the key in {variables} of {process}, then retry",
    Action.BUY_QUOTA: "buy more of the provider's quota and retry, or wait for it",
    Action.PAY_PROVIDER: "pay what the provider asks for (credits, plan), then retry",
    Action.AWAIT_PAUSE: "nothing: the provider asked for a pause",
    Action.AWAIT_PROBE: "nothing: one call a minute finds out whether the provider answers again",
    Action.RAISE_DAY_LIMIT: "wait, or raise the workflow's `limits.per_day`",
    Action.CHECK_ADDRESS: "look at the workflow's address and parameters; launch again where they are wrong",
    Action.TRIED_NEXT_RUN: "its time has come: the next run tries again",
    Action.TRIED_AT: "it is tried again at {at}, by {platform} if that runs",
    Action.FIX_CONDITION: "mend the workflow's `run_if`, and launch the upload again",
    Action.FIX_VALUE: "mend the value in the list, or what the workflow makes of it, and launch that again",
    Action.LEFT_BY_CONDITION: "nothing: the workflow's `run_if` leaves these rows out",
    Action.FOUND_BEFORE: "nothing: an earlier step of the waterfall has it",
    Action.RAISE_BUDGET: "raise that budget: what waits for it then goes on by itself",
    Action.RAISE_THAT_BUDGET: "raise that budget",
    Action.NOT_TO_BE_ASKED: "nothing: these may not be asked about",
    Action.LEFT_BY_REGION: "nothing: the workflow is closed to people there; a country that is missing can be added",
    Action.SWITCH_ON: "switch the workflow on for this client, and launch again",
    Action.PARENT_COUNTS: "nothing: the parent's answer counts for the child item",
    Action.TARGET_WAS_REACHED: "nothing: the batch has as many as were asked for",
    Action.CHILDREN_GO_ON: "nothing: the child items go through this step",
    Action.WAS_GIVEN_UP: "nothing: the batch was given up; another one may have been launched in its place",
    Action.CLIENT_HAS_THEM: "nothing: the client has these leads already; a launch with `known: refresh` asks again",
    Action.LOOK_AT_STEPS: "{field} is to come from {workflows}: look there for what became of it",
    Action.MAP_FIELD: "map a column of the list to {field}, or put a step before that finds it",
    Action.DECIDE_CALL: "look the call up at the provider, then resolve it: call again, or accept a miss",
    Action.RETRY_LATER: "retry when the provider answers again",
    Action.MEND_MAPPING: "look at the stored answer; mend the workflow's mapping and replay it, free of charge",
    Action.CHECK_REQUEST: "look at the workflow's address and request, then retry",
    Action.RETRY_OR_WAIT: "retry, or wait: an answer that comes late is still taken",
    Action.RETRY: "retry",
    Action.RESUME_BATCH: "resume it",
    Action.RETRY_CANCELLED: "retry it, if it is wanted after all",
    Action.HOLD_IS_OVER: "nothing more of it is sent anyway",
    Action.SEE_ROWS: "see them row by row",
    Action.AWAIT_ATTEMPT: "nothing: it is tried again, by {platform} if that runs",
    Action.AWAIT_ATTEMPT_AT: "nothing: it is tried again at {at}, by {platform} if that runs",
    Action.SEE_STEPS: "see {workflows}, which stands still",
    Action.AWAIT_STEPS: "nothing: it goes on after that",
    Action.AWAIT_TURN: "nothing",
    Action.AWAIT_PLATFORM: "nothing: {platform} does",
    Action.RUN_OR_START: "run it, or start {platform}, which does so by itself",
    Action.ANSWER_REVIEWS: "answer what is asked; its tables are made meanwhile",
    Action.AWAIT_CALLBACK: (
        "nothing, if the provider reaches the receiver: at the deadline the next run asks again or gives up"
    ),
}
"""One sentence for each action; in braces: its arguments, and the words of `Words`."""

NEUTRAL: Mapping[str, str] = {
    "platform": "the platform",
    "with_simulator": "for the simulator",
    "without_simulator": "for real providers",
}
"""Words of who names no command."""


def sentence(hint: Hint, words: Mapping[str, str] = NEUTRAL) -> str:
    """One remedy in the words of an entry point, which begins small and has no full stop."""
    process = hint.arguments.get("process", "")
    named = words["platform"] if process == PLATFORM else f"the shell that ran it last (process {process})"
    return SENTENCES[hint.action].format(**{**hint.arguments, **words, "process": named})


def sentences(hints: Iterable[Hint], words: Mapping[str, str] = NEUTRAL) -> str:
    """All of what helps, in one line; empty where nothing does."""
    return "; ".join(sentence(hint, words) for hint in hints)
