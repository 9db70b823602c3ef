"""`enrich shell`: a prompt for SQL over the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.opening import opened_hq

if TYPE_CHECKING:
    import duckdb

_HELP = "End a statement with ;  |  .tables  .columns TABLE  .exit"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("shell")(shell)


def shell(
    client: Annotated[str | None, typer.Option("--client", help="See only this client's rows.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows that are printed per answer.")] = 100,
) -> None:
    """Open DuckDB with every model and source attached. The files are replaced whole: a shell never blocks a run.

    Example: enrich shell --client acme
    """
    from enrichment_assets.services.catalog.known_clients import check_client
    from enrichment_assets.settings import Settings
    from enrichment_assets.warehouse import open_warehouse

    try:
        import readline  # noqa: F401 - line editing and history, where the platform has it
    except ImportError:
        typer.echo("(no line editing on this platform)", err=True)
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    check_client(hq, settings, client)
    connection = open_warehouse(settings, client_slug=client)
    typer.echo(_HELP)
    waiting = ""
    while True:
        try:
            line = input("...> " if waiting else "enrich> ")
        except EOFError:
            return
        except KeyboardInterrupt:
            waiting = ""
            typer.echo()
            continue
        if not waiting and line.strip().startswith("."):
            if line.strip() in (".exit", ".quit"):
                return
            line = _command(line.strip())
        waiting = f"{waiting}\n{line}".strip()
        if waiting.endswith(";"):
            _answer(connection, waiting, limit)
            waiting = ""


def _command(line: str) -> str:
    """The SQL behind a dot command."""
    word, _, rest = line.partition(" ")
    if word == ".tables":
        return "select schema_name as schema, view_name as name from duckdb_views() where not internal order by all;"
    if word == ".columns" and rest:
        return f"describe {rest.rstrip(';')};"
    typer.echo(_HELP)
    return ""


def _answer(connection: duckdb.DuckDBPyConnection, statement: str, limit: int) -> None:
    import duckdb

    from enrichment_assets.cli.tables import print_table

    try:
        result = connection.execute(statement)
        print_table([c[0] for c in result.description or []], result.fetchall(), limit=limit)
    except duckdb.Error as error:
        typer.echo(str(error), err=True)
    except KeyboardInterrupt:
        connection.interrupt()
