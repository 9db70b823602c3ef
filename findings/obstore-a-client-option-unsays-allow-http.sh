#!/usr/bin/env bash
# obstore: one would expect AWS_ALLOW_HTTP=true to let a store without TLS (MinIO in the cluster, a test server) be asked
# whatever else is configured. It counts only as long as no client option is given at all: with
# `client_options={"timeout": "30s"}` beside it every request fails as "HTTP error: builder error", which names neither
# HTTP nor the variable. `allow_http` has to be said again among the options.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" -q install obstore==0.12.1
"$folder/env/bin/python" - <<'PYTHON'
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Store(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        for name, value in (("Content-Length", "4"), ("ETag", '"e"'), ("Last-Modified", "Sat, 28 Nov 2026 10:00:00 GMT")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"kept")

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ.update(
    AWS_ACCESS_KEY_ID="key",
    AWS_SECRET_ACCESS_KEY="secret",
    AWS_REGION="us-east-1",
    AWS_ENDPOINT_URL=f"http://127.0.0.1:{server.server_port}",
    AWS_ALLOW_HTTP="true",
)
import obstore
from obstore.store import from_url


def read(**options):
    try:
        return bytes(obstore.get(from_url("s3://bucket/folder", **options), "file").bytes()).decode()
    except obstore.exceptions.GenericError as error:
        return str(error).splitlines()[0].rpartition(" - ")[2]


plain = read()
with_timeout = read(client_options={"timeout": "30s"})
said_again = read(client_options={"timeout": "30s", "allow_http": True})
print("AWS_ALLOW_HTTP:", plain, "| with a timeout:", with_timeout, "| with allow_http too:", said_again)
assert (plain, with_timeout, said_again) == ("kept", "HTTP error: builder error", "kept")
PYTHON
echo "OK: obstore 0.12.1 looks at AWS_ALLOW_HTTP only where no client option is given"
