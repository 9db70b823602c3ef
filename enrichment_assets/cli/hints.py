"""What helps, in the words of the command line. The one place that turns a hint or an error into sentences."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.hints import Action, Hint

SENTENCES = {
    Action.LIST_CLIENTS: "`enrich client list` shows all",
    Action.ADD_CLIENT: "`enrich client add {client}` adds it",
    Action.SET_PROFILE: "`enrich client profile {client} --file profile.yaml` sets one",
    Action.REVOKE_READER: "`enrich client revoke-reader {client}` takes it away",
    Action.LET_MAKE_ROLE: (
        "let an administrator of the server run `create role {role} login noinherit password '...'`, and name it: "
        "`enrich client grant-reader {client} --role {role}`; or give our role CREATEROLE"
    ),
    Action.LIST_ARCHIVED: "`enrich archived` shows what was archived",
    Action.LIST_UPLOADS: "`enrich uploads` lists them",
    Action.LIST_WORKFLOWS: "`enrich workflow list` shows all",
    Action.LIST_PIPELINES: "`enrich pipeline list` shows all",
    Action.LIST_BATCHES: "`enrich status` lists the batches",
    Action.LIST_BATCHES_OF: "`enrich status --client {client}` lists them",
    Action.LIST_BUDGETS: "`enrich budget list` shows what there is",
    Action.LIST_CALLBACKS: "`enrich callbacks list` shows what there is",
    Action.NAME_CLIENT: "`--client` tells them apart",
    Action.LIST_DELIVERIES: "`enrich delivery list` shows what there is",
    Action.RESOLVE_DELIVERY: "`enrich delivery resolve {delivery}` says what nobody else knows",
    Action.DELIVER_TO: "`enrich deliver {batch} --to NAME` says it; `enrich destination list` shows what there is",
    Action.START_BATCH: "`enrich run {batch}` starts it",
    Action.FINISH_BATCH: "finish them first with `enrich run {batch} --wait`",
    Action.FINISH_CALLS: "finish them first with `enrich run {batch}` or `enrich resolve {batch}`",
    Action.CONTINUE_BATCH: (
        "with `enrich up` running the sequencer continues the batch by itself; else: enrich run {batch}"
    ),
    Action.LEAVE_TO_RUNS: (
        "a run works on this batch now ({runs}) and takes up what it can; what it leaves, "
        "the sequencer or `enrich run {batch}` continues"
    ),
    Action.EXTRACT_AGAIN: (
        "results are stored and extracted again by the next run; "
        "with `enrich up` running the sequencer continues the batch by itself; else: enrich run {batch}"
    ),
    Action.CONTINUE_PILOT: "go on with it as it was launched, with --batch {batch}",
    Action.REPLACE_PILOT: (
        "or launch all rows as they would run now, and take what the pilot has paid for, with --replace {batch}"
    ),
    Action.REPLACE_BATCH: "launch another one, with --replace {batch}",
    Action.RESTART_PLATFORM: "`enrich up` has to be started again {with_or_without} --sandbox, if it runs this",
    Action.WRITE: "nothing was written; without --dry-run it is",
    Action.ALLOW_WRITING: "for SQL of your own that does more, add --unsafe",
    Action.QUERY_MODEL: "use `enrich query {query} --to {file}`",
    Action.BUILD_ANALYTICS: "`enrich run BATCH` builds it at its end, as does the job `build_analytics` in Dagster",
    Action.SEARCH_ORGANISATIONS: (
        "look for it: enrich query \"select name, organisation_id from organisations where name ilike '%...%'\""
    ),
    Action.NAME_SECRET: "use --secret purpose=VARIABLE_NAME, and {{{{secrets.purpose}}}} in a header",
    Action.NAME_LOGIN: "use --secret user=VARIABLE_NAME and --secret password=VARIABLE_NAME",
    Action.ALLOW_FOREIGN_HOST: "if that is meant, say so: --replace",
    Action.SEE_BATCH: "`enrich status {batch}` shows where it stands",
    Action.GIVE_ROW: "--row BATCH:N takes a row of a batch, --set field=value gives a field",
    Action.GIVE_FIELD: "give it with --set {field}=VALUE",
    Action.TRY_EARLIER_STEP: (
        "let the step answer that provides it, try another row, or give all fields with --set {field}=VALUE"
    ),
    Action.SAY_CLIENT: "say for which one with --client; `enrich client list` shows all",
    Action.RESTORE_WORKFLOW: "`enrich restore workflow {workflow}` brings it back",
    Action.ENABLE_WORKFLOW: "`enrich workflow enable {workflow}` switches it on",
    Action.ENABLE_FOR_CLIENT: "`enrich client config {client} {workflow} --enable` switches it on",
    Action.SEE_TRY: "look again: enrich try --show {batch}",
    Action.NOTHING_LEFT: "nothing of this batch is left to do",
    Action.NOTHING_CHANGED: "nothing was changed",
}
"""One sentence for each action that is a command; in braces: arguments, quoted for a shell. The others are remedies."""


WORDS = {"platform": "`enrich up`", "with_simulator": "with --sandbox", "without_simulator": "without --sandbox"}
"""What remedies call the platform, and starting it for the simulator or not."""


def worded(hint: Hint) -> str:
    """The hint as a sentence of the command line, which begins small and has no full stop."""
    if hint.action not in SENTENCES:
        from enrichment_assets.services.operations.remedy_sentences import sentence

        return sentence(hint, WORDS)
    arguments = {name: shlex.quote(value) for name, value in hint.arguments.items()}
    if hint.action is Action.LEAVE_TO_RUNS:
        arguments["runs"] = hint.arguments["runs"]
    if hint.action is Action.RESTART_PLATFORM:
        arguments["with_or_without"] = "with" if hint.arguments["simulator"] == "yes" else "without"
    if hint.action is Action.QUERY_MODEL:
        arguments["query"] = f"'select * from {hint.arguments['model']}'"
    return SENTENCES[hint.action].format(**arguments)


def all_worded(hints: Sequence[Hint]) -> str:
    """What helps, in one line."""
    return "; ".join(map(worded, hints))


def told(error: EnrichError) -> str:
    """The error in one line: what happened, then what helps."""
    return with_hints(error.what, error.hints)


def with_hints(what: str, hints: Sequence[Hint]) -> str:
    """What happened, then what helps, in one line."""
    if not hints:
        return what
    begun = what if what.endswith(("?", "!")) else what.removesuffix(".") + ":"
    return f"{begun} {', '.join(map(worded, hints))}"


def as_json(error: EnrichError) -> dict[str, Any]:
    """The error for a program: `{"error": {"code", "what", "hints": [{"action", "arguments", "text"}]}}`."""
    from enrichment_assets.services.shapes.errors import Error
    from enrichment_assets.services.shapes.shape import plain

    return {"error": plain(Error.of(error), worded)}


def tell(error: EnrichError, arguments: list[str]) -> None:
    """Print an error to standard error: as JSON where the command was asked for JSON, else as a line."""
    if "--json" in arguments:
        sys.stderr.write(json.dumps(as_json(error)) + "\n")
    else:
        say(f"enrich: {told(error)}", err=True)
