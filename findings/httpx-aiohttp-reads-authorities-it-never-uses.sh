#!/usr/bin/env bash
# httpx-aiohttp: a transport that is given a session of aiohttp needs no TLS of its own, one would expect, and what it is
# told beside the session counts. It reads the machine's authorities all the same, tens of milliseconds of the processor
# for each transport, and never looks at them again: `verify` beside `client` is taken without a word, and changes nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" -q install httpx-aiohttp==0.2.0 httpx==0.28.1 aiohttp==3.14.5
"$folder/env/bin/python" - <<'PYTHON'
import asyncio
import ssl
import time

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

reads = []
load = ssl.SSLContext.load_verify_locations


def counted(self, *args, **kwargs):
    began = time.process_time()
    load(self, *args, **kwargs)
    reads.append(time.process_time() - began)


ssl.SSLContext.load_verify_locations = counted


async def main():
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody

    def session():
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ours))

    transport = AiohttpTransport(client=session)
    print("the session is not made yet, authorities were read", len(reads), f"time: {reads[0] * 1000:.0f} ms")
    assert len(reads) == 1
    theirs = httpx.create_ssl_context()
    transport = AiohttpTransport(client=session, verify=theirs)
    async with transport.get_client() as used:
        assert transport.ssl_context is theirs, "kept"
        assert used.connector._ssl is ours, "and never used"
    assert len(reads) == 2, "a context that is passed in is not read again: one for the whole process is enough"


asyncio.run(main())
PYTHON
echo "OK: httpx-aiohttp==0.2.0 reads the authorities for a transport whose session is given, and ignores verify beside it"
