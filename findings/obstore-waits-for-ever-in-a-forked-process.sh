#!/usr/bin/env bash
# obstore: one would expect a process that was forked from one that has used it to open a store of its own, or to be
# told that it cannot. Its requests are done by threads of the first process; in the fork even a store that is made
# there waits for ever, without an error and past its own time-outs. Whoever forks workers after the first request
# (multiprocessing's default on Linux before Python 3.14, a prefork server) has workers that stand still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" -q install obstore==0.12.1
"$folder/env/bin/python" - <<'PYTHON'
import os
import signal
import time

from obstore.store import from_url
import obstore

os.environ.update(AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_REGION="us-east-1")


def ask() -> float:
    """Ask a port where nobody listens; seconds until it says so."""
    began = time.monotonic()
    store = from_url(
        "s3://bucket/folder",
        endpoint="http://127.0.0.1:9",
        client_options={"allow_http": True, "timeout": "1s", "connect_timeout": "1s"},
        retry_config={"max_retries": 0},
    )
    try:
        obstore.get(store, "file")
    except obstore.exceptions.GenericError:
        return time.monotonic() - began
    raise AssertionError("somebody answered")


def forked() -> bool:
    """Whether a forked process gets its answer within ten seconds."""
    child = os.fork()
    if child == 0:
        ask()
        os._exit(0)
    for _ in range(100):
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


before = forked()
print(f"the first process was answered after {ask():.2f} s")
after = forked()
print("forked before the first request: answered" if before else "forked before: waits")
print("forked after it: answered" if after else "forked after it: still waiting after 10 s, with a time-out of 1 s")
assert (before, after) == (True, False)
PYTHON
echo "OK: obstore 0.12.1 waits for ever in a process that was forked after the first request"
