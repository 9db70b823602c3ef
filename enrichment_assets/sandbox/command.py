"""The command line of the sandbox, for `python -m enrichment_assets.sandbox` and `enrich sandbox` alike.

The options that people use have names of their own; everything else is set with `--settings` (JSON), `--provider` and
at run time through `/_sandbox/settings`.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError

DEFAULT_PORT = 8720


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = DEFAULT_PORT,
    seed: Annotated[int, typer.Option(help="The world and every fault follow from this number.")] = 7,
    latency: Annotated[
        str | None, typer.Option(help="Time to an answer: 50ms, 20ms-80ms, exp:50ms, lognormal:50ms:0.5.")
    ] = None,
    miss: Annotated[float | None, typer.Option(help="Share of subjects that nobody knows (0 to 1).")] = None,
    errors: Annotated[float | None, typer.Option(help="Share of calls answered 5xx, unbilled.")] = None,
    rate_limited: Annotated[float | None, typer.Option(help="Share of calls refused as over the rate.")] = None,
    limits: Annotated[
        str | None, typer.Option(help="Rate per key: 15/s,500/m or `documented` (as the vendors say).")
    ] = None,
    timeouts: Annotated[float | None, typer.Option(help="Share of calls that hang after the work was billed.")] = None,
    resets: Annotated[float | None, typer.Option(help="Share of connections reset in mid-answer.")] = None,
    garbage: Annotated[float | None, typer.Option(help="Share of bodies that cannot be read.")] = None,
    wrong_types: Annotated[float | None, typer.Option(help="Share of bodies with values of wrong types.")] = None,
    callback_delay: Annotated[str | None, typer.Option(help="Time to a callback, like --latency.")] = None,
    callback_drop: Annotated[float | None, typer.Option(help="Share of callbacks never sent.")] = None,
    callback_duplicate: Annotated[float | None, typer.Option(help="Share of callbacks sent twice.")] = None,
    callback_late: Annotated[float | None, typer.Option(help="Share of callbacks that come late.")] = None,
    callback_late_by: Annotated[str | None, typer.Option(help="How late (like --latency).")] = None,
    callback_garbage: Annotated[float | None, typer.Option(help="Share of callbacks that cannot be read.")] = None,
    shuffle_callbacks: Annotated[bool | None, typer.Option(help="Callbacks arrive out of order.")] = None,
    provider: Annotated[
        list[str] | None, typer.Option(help="Settings of one provider: hunter:miss=0.3 (may be repeated).")
    ] = None,
    settings: Annotated[str | None, typer.Option(help="Any settings as JSON; options above win.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say the address as one line of JSON when ready.")] = False,
) -> None:
    """Simulate every provider on this machine: believable data, faults on demand, and a count of what was billed.

    Example: `enrich sandbox --seed 7 --latency 50ms --miss 0.1 --errors 0.02 --callback-delay 1s --callback-drop 0.1
    --shuffle-callbacks`, then `export ENRICH_SANDBOX_URL=http://127.0.0.1:8720`. Bills: /_sandbox/billing.
    """
    options = {
        "latency": latency,
        "miss": miss,
        "errors": errors,
        "rate_limited": rate_limited,
        "limits": limits,
        "timeouts": timeouts,
        "resets": resets,
        "garbage": garbage,
        "wrong_types": wrong_types,
        "callback_delay": callback_delay,
        "callback_drop": callback_drop,
        "callback_duplicate": callback_duplicate,
        "callback_late": callback_late,
        "callback_late_by": callback_late_by,
        "callback_garbage": callback_garbage,
        "shuffle_callbacks": shuffle_callbacks,
    }
    _run(host, port, seed, options, provider or [], settings, as_json=as_json)


def _run(
    host: str,
    port: int,
    seed: int,
    options: dict[str, Any],
    providers: list[str],
    settings: str | None,
    *,
    as_json: bool,
) -> None:
    from pydantic import ValidationError

    from enrichment_assets.sandbox.running import serve
    from enrichment_assets.sandbox.settings import SandboxSettings

    try:
        fields: dict[str, Any] = {"seed": seed, **(json.loads(settings) if settings else {})}
        fields.update({name: value for name, value in options.items() if value is not None})
        for text in providers:
            name, _, setting = text.partition(":")
            field, equals, value = setting.partition("=")
            if not equals:
                raise ConfigurationError(
                    f"--provider {text}: write it as hunter:miss=0.3", code="sandbox.option_invalid"
                )
            fields.setdefault("providers", {}).setdefault(name, {})[field.replace("-", "_")] = _plain(value)
        chosen = SandboxSettings.model_validate(fields)
    except (ValidationError, ValueError) as error:
        raise ConfigurationError(
            f"the sandbox cannot be set like this: {_said(error)}", code="sandbox.setting_invalid"
        ) from error

    def ready(url: str) -> None:
        line = json.dumps({"url": url}) if as_json else f"Sandbox at {url} (bills: {url}/_sandbox/billing)"
        typer.echo(line)

    try:
        serve(chosen, host, port, when_ready=ready)
    except OSError as error:
        raise InfrastructureError(
            f"the sandbox cannot listen on {host}:{port}: {error.strerror or error}", code="sandbox.port_taken"
        ) from error


def _plain(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _said(error: Exception) -> str:
    problems = getattr(error, "errors", None)
    if problems is None:
        return str(error)
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems())
