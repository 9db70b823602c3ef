"""Where things are: the home directory, database URLs and the receiver's public address.

Everything comes from the environment, read when asked for and never at import, so that a test or a second
home in one process is only another `Settings` value. Nothing here opens a file or a connection; the home is looked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_RECEIVER_PORT = 8710
DEFAULT_SANDBOX_PORT = 8720
DEFAULT_API_PORT = 8730
DEFAULT_WEBSERVER_PORT = 3000
DEFAULT_RETENTION_DAYS = 90
DEFAULT_WARM_MINUTES = 10.0
DEFAULT_MAX_UPLOAD_BYTES = 2 * 1024**3
DEFAULT_RECEIVER_URL = f"http://127.0.0.1:{DEFAULT_RECEIVER_PORT}"
HOME_NAME = ".enrich"


def find_home(start: Path | None = None) -> Path:
    """The home that a folder belongs to: the nearest `.enrich`, in the folder or above it; else one to be made there.

    As git finds `.git`, so that a command in a project's subfolder does not make a second home. Above `start` only a
    folder of this account counts (in `/tmp`, anybody could have put one there), and the search ends at the account's
    own folder (`~`) where it comes by it, else at the root.

    Args:
        start: Where to begin; default: the current directory.
    """
    here = (start or Path.cwd()).absolute()
    if (here / HOME_NAME).is_dir():
        return here / HOME_NAME
    own = Path.home()
    for folder in () if here == own else here.parents:
        if _is_ours(folder / HOME_NAME):
            return folder / HOME_NAME
        if folder == own:
            break
    return here / HOME_NAME


def _is_ours(folder: Path) -> bool:
    try:
        return folder.is_dir() and folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation of the platform.

    Attributes:
        home: Directory that holds everything local: uploads, inbox, warehouse, embedded database, logs.
        hq_database_url: libpq URL of the operational database, or None for the embedded one.
        workspace_database_url: libpq URL of the database that results are published to, or None.
        dagster_database_url: libpq URL of Dagster's own storage, or None (then: the HQ server).
        hq_direct_url: libpq URL of HQ past its pooler, or as the role that owns its tables: what migrates uses it.
        hq_pooler: `transaction` or `session`: the mode of the pooler before HQ; None: what answers is looked at.
        receiver_url: Base URL under which providers reach the receiver from outside.
        sandbox_url: Base URL of the provider sandbox when providers are to be simulated, else None.
        max_upload_bytes: Largest file that an upload takes.
        log: File for the engine's structured log, `-` for standard error, None for no log.
        ui_origins: Origins (`https://name`) under which browsers reach the pages besides this machine's own.
        api_origins: Origins whose pages may use the API from a browser, with a key and without a cookie.
        uploads: Where kept uploads are, when not in the home: a folder, or `s3://` or `gs://` for several machines.
        warehouse: Where the warehouse is, likewise.
        suppression_pepper: Key of the hashes of suppressed people; None: the home's own (`suppression_pepper_file`).
        webhook_networks: Networks (`10.1.0.0/16`) that outgoing webhooks may reach although they are not public.
        webhook_ports: Ports that they may go to besides 443 and 8443 (and 80 and 8080 with `webhook_http`).
        webhook_http: Whether they may go to `http://` addresses.
        retention_days: How long what nobody needs is kept, once somebody has it taken out (`enrich retention`).
        trusted_proxies: Addresses and networks of proxies whose `X-Forwarded-For` counts; nobody else's does.
        traces: Runs, steps and calls are traced by OpenTelemetry, whose own variables say where spans go.
        metrics_port: Where `enrich up` serves `/metrics`, on 127.0.0.1; None: nowhere.
        session_secret: What sessions are signed with; None: the home's own (`session-secret`).
        warm_minutes: How long the copy that `enrich run` leaves behind waits for the next command; 0: it leaves none.
    """

    home: Path
    hq_database_url: str | None = field(default=None, repr=False)
    workspace_database_url: str | None = field(default=None, repr=False)
    dagster_database_url: str | None = field(default=None, repr=False)
    receiver_url: str = DEFAULT_RECEIVER_URL
    sandbox_url: str | None = None
    max_upload_bytes: int = DEFAULT_MAX_UPLOAD_BYTES
    log: str | None = None
    ui_origins: tuple[str, ...] = ()
    api_origins: tuple[str, ...] = ()
    uploads: str | None = None
    warehouse: str | None = None
    retention_days: int = DEFAULT_RETENTION_DAYS
    warm_minutes: float = DEFAULT_WARM_MINUTES
    suppression_pepper: str | None = field(default=None, repr=False)
    trusted_proxies: tuple[str, ...] = ()
    hq_direct_url: str | None = field(default=None, repr=False)
    hq_pooler: str | None = None
    metrics_port: int | None = None
    traces: bool = False
    webhook_networks: tuple[str, ...] = ()
    webhook_ports: tuple[str, ...] = ()
    webhook_http: bool = False
    session_secret: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from environment variables (all optional).

        `ENRICH_HOME` (default `find_home()`), `HQ_DATABASE_URL`,
        `WORKSPACE_DATABASE_URL`, `DAGSTER_DATABASE_URL`, `HQ_DATABASE_DIRECT_URL`, `HQ_DATABASE_POOLER`,
        `ENRICH_RECEIVER_URL`, `ENRICH_SANDBOX_URL`,
        `ENRICH_MAX_UPLOAD_BYTES`, `ENRICH_LOG`, `ENRICH_UI_ORIGINS` (separated by commas), `ENRICH_UPLOADS`,
        `ENRICH_WAREHOUSE`, `ENRICH_RETENTION_DAYS`, `ENRICH_WARM_MINUTES`, `ENRICH_SUPPRESSION_PEPPER`,
        `ENRICH_TRUSTED_PROXIES` (separated by commas), `ENRICH_SESSION_SECRET`,
        `ENRICH_METRICS_PORT`,
        `ENRICH_TRACES` (`1`),
        `ENRICH_WEBHOOK_NETWORKS`, `ENRICH_WEBHOOK_PORTS` (both separated by commas), `ENRICH_WEBHOOK_HTTP` (`1`).
        """
        env = os.environ if environment is None else environment
        return cls(
            home=Path(env["ENRICH_HOME"]).expanduser().absolute() if env.get("ENRICH_HOME") else find_home(),
            hq_database_url=env.get("HQ_DATABASE_URL") or None,
            workspace_database_url=env.get("WORKSPACE_DATABASE_URL") or None,
            dagster_database_url=env.get("DAGSTER_DATABASE_URL") or None,
            receiver_url=(env.get("ENRICH_RECEIVER_URL") or DEFAULT_RECEIVER_URL).rstrip("/"),
            sandbox_url=(env.get("ENRICH_SANDBOX_URL") or "").rstrip("/") or None,
            max_upload_bytes=int(env.get("ENRICH_MAX_UPLOAD_BYTES") or DEFAULT_MAX_UPLOAD_BYTES),
            log=env.get("ENRICH_LOG") or None,
            ui_origins=_listed(env, "ENRICH_UI_ORIGINS"),
            api_origins=_listed(env, "ENRICH_API_ORIGINS"),
            uploads=env.get("ENRICH_UPLOADS") or None,
            warehouse=env.get("ENRICH_WAREHOUSE") or None,
            retention_days=int(env.get("ENRICH_RETENTION_DAYS") or DEFAULT_RETENTION_DAYS),
            warm_minutes=float(env.get("ENRICH_WARM_MINUTES") or DEFAULT_WARM_MINUTES),
            suppression_pepper=env.get("ENRICH_SUPPRESSION_PEPPER") or None,
            trusted_proxies=_listed(env, "ENRICH_TRUSTED_PROXIES"),
            hq_direct_url=env.get("HQ_DATABASE_DIRECT_URL") or None,
            hq_pooler=env.get("HQ_DATABASE_POOLER") or None,
            traces=env.get("ENRICH_TRACES") == "1",
            metrics_port=int(env["ENRICH_METRICS_PORT"]) if env.get("ENRICH_METRICS_PORT") else None,
            webhook_networks=_listed(env, "ENRICH_WEBHOOK_NETWORKS"),
            webhook_ports=_listed(env, "ENRICH_WEBHOOK_PORTS"),
            webhook_http=env.get("ENRICH_WEBHOOK_HTTP", "").strip().lower() in ("1", "true", "yes"),
            session_secret=env.get("ENRICH_SESSION_SECRET") or None,
        )

    @property
    def suppression_pepper_file(self) -> Path:
        """The pepper that a home makes for itself where none is set; back it up with HQ."""
        return self.home / "suppression-pepper"

    @property
    def erasures_file(self) -> Path:
        """Hashes of all who were erased, a line of JSON each: a database out of a backup is compared with it."""
        return self.home / "erasures.jsonl"

    @property
    def inbox_dir(self) -> Path:
        """Files dropped at `<inbox_dir>/<client>/<pipeline>/` are uploaded and launched by the upload sensor."""
        return self.home / "inbox"

    @property
    def uploads_dir(self) -> Path:
        """The kept bytes of every upload, at `<uploads_dir>/<client>/<sha256>`, or this machine's copies of them."""
        return self._folder(self.uploads, "uploads")

    @property
    def warehouse_dir(self) -> Path:
        """Parquet, one directory a model and one file a batch, or this machine's copy of it."""
        return self._folder(self.warehouse, "warehouse")

    def _folder(self, said: str | None, name: str) -> Path:
        if said is None:
            return self.home / name
        return self.home / "copies" / name if is_remote(said) else Path(said).expanduser().absolute()

    @property
    def postgres_dir(self) -> Path:
        """Data directory of the embedded Postgres (unless root has to keep it elsewhere)."""
        return self.home / "postgres"

    @property
    def dagster_home(self) -> Path:
        """`DAGSTER_HOME` of the processes that `enrich up` starts."""
        return self.home / "dagster"


def _listed(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in environment.get(name, "").split(","))))


def is_remote(place: str | None) -> bool:
    """Whether a place is the address of an object store, and no folder."""
    return "://" in (place or "")
