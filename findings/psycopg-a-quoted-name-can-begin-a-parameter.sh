#!/usr/bin/env bash
# psycopg 3: one would expect `sql.Identifier` to make any column's name safe to put into a statement, for that is what it
# quotes. A name with a percent sign ("Discount %", "% of water", as tables made of spreadsheets have) is quoted and stays a
# placeholder all the same once the statement has parameters: it is refused, or, before an `s`, takes a parameter for itself
# and the statement asks for one too many.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" -q install "psycopg[binary]==3.3.9"
"$folder/env/bin/python" - <<'PYTHON'
from psycopg import ProgrammingError, sql
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer


def sent(column: sql.Composable) -> str:
    """The statement as it goes to the server: what `execute` makes of it, without one."""
    query = PostgresQuery(Transformer())
    statement = sql.SQL("select {} from courses where id = %s").format(column)
    query.convert(statement.as_bytes(None), [7])
    return query.query.decode()


assert sent(sql.Identifier("state")) == 'select "state" from courses where id = $1'
for name in ("Discount %", "% of water", "%s"):
    try:
        print(repr(name), "is sent as", sent(sql.Identifier(name)))
    except ProgrammingError as error:
        print(repr(name), "is refused:", error)
    else:
        raise AssertionError(f"{name!r} is a name by now")
doubled = sql.SQL('"% of water"'.replace("%", "%%"))
assert sent(doubled) == 'select "% of water" from courses where id = $1', "by hand: quoted, and the sign doubled"
PYTHON
echo "OK: psycopg 3.3.9 quotes a name with a percent sign and still reads a parameter in it"
