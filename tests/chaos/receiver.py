"""`python -m tests.chaos.receiver`: the receiver, with the fault of the environment variable CHAOS_FAULT armed."""

from __future__ import annotations

import json
import os
import sys

from enrichment_assets.receiver.__main__ import main
from tests.chaos.faults import arm

if __name__ == "__main__":
    if os.environ.get("CHAOS_FAULT"):
        arm(json.loads(os.environ["CHAOS_FAULT"]))
    sys.exit(main())
