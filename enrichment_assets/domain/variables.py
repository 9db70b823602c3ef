"""Which environment variables are the platform's and the system's own, and which may be somebody's key.

A process that makes no calls is given the first kind only; a workflow may never name one of them as its secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

SECRET_NAMES = "ENRICH_SECRET_NAMES"  # noqa: S105 - the name of a setting
"""Setting: further variables that workflows may name, as names or patterns separated by commas (`ACME_*,MY_TOKEN`)."""

_PREFIXES = (
    "ENRICH_", "DAGSTER_", "PG", "PYTHON", "UV_", "VIRTUAL_ENV", "LC_", "XDG_", "SSL_", "LD_", "DYLD_", "OTEL_",
    "COVERAGE", "MALLOC_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
_NAMES = frozenset({
    "HQ_DATABASE_URL", "WORKSPACE_DATABASE_URL", "HQ_DATABASE_DIRECT_URL", "WORKSPACE_DATABASE_DIRECT_URL",
    "HQ_DATABASE_POOLER", "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "SHLVL", "HOSTNAME", "LANG",
    "LANGUAGE", "TZ", "TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TMPDIR", "TEMP", "TMP", "EDITOR", "CI",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "_",
})  # fmt: skip


def is_own_variable(name: str) -> bool:
    """True for a variable that the platform, Dagster, Postgres' client, Python or the system reads.

    `HQ_DATABASE_URL`, `ENRICH_HOME`, `PGPASSWORD`, `PATH`; not `APOLLO_API_KEY`. Names count without case, as proxies'
    are written either way.
    """
    upper = name.upper()
    return upper in _NAMES or upper.startswith(_PREFIXES)


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """What a process needs that makes no calls: everything that cannot be a provider's key."""
    return {name: value for name, value in environment.items() if is_own_variable(name)}


def may_be_secret(name: str, allowed: Iterable[str]) -> bool:
    """Whether a workflow may name this variable as a secret.

    Args:
        name: Of an environment variable.
        allowed: Names and patterns (`ACME_*`), without case. A variable of our own is never allowed.
    """
    return not is_own_variable(name) and any(fnmatchcase(name.upper(), pattern.upper()) for pattern in allowed)
