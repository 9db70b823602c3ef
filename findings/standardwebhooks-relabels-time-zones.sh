#!/usr/bin/env bash
# standardwebhooks: one would expect `sign()` to sign the moment that a datetime with a time zone stands for. It writes
# UTC over the zone instead of converting, so 12:00+02:00 is signed as 12:00 UTC, two hours later. A sender that passes
# local times signs a second that its `webhook-timestamp` header does not say, and no receiver accepts the message;
# with UTC, or without a zone, all is well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" -q install standardwebhooks==1.1.0
"$folder/env/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

hook = Webhook("whsec_YS1zZWNyZXQtZm9yLWV4YW1wbGVz")
body = '{"lead": 7}'
moment = datetime.now(UTC).replace(microsecond=0)
in_berlin = moment.astimezone(timezone(timedelta(hours=2)))
assert in_berlin == moment, "the same moment, written in two zones"


def accepted(signature: str) -> bool:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}
    try:
        hook.verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


of_utc, of_berlin = hook.sign("msg_1", moment, body), hook.sign("msg_1", in_berlin, body)
print("signed in UTC:   ", of_utc, accepted(of_utc))
print("signed in +02:00:", of_berlin, accepted(of_berlin))
assert accepted(of_utc) and not accepted(of_berlin)
assert of_berlin == hook.sign("msg_1", moment + timedelta(hours=2), body), "it is the signature of two hours later"
PYTHON
echo "OK: standardwebhooks 1.1.0 signs 12:00+02:00 as 12:00 UTC"
