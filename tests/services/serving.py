"""The console and the API behind a socket of this process, for programs that come from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from enrichment_assets.domain.pace import Pace
from enrichment_assets.web.origin_guard import loopback_origins
from enrichment_assets.web.site import build_site
from tests.access.office import Office
from tests.integration.test_daemon import free_port


@contextmanager
def served(office: Office) -> Iterator[str]:
    """Its address. Nobody is too fast there, for paces have a test of their own."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pace, "take", lambda _self, _key: 0.0)
        app = build_site(office.hq, office.settings, loopback_origins(port))
        server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, lifespan="off", log_level="warning"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join()
