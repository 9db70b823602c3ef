#!/usr/bin/env bash
# Expected: as the specification says, `<` and `>` of JMESPath compare numbers, and give null for anything else: a condition
#           `score > `5`` over an answer whose score came as text, "7", does not hold.
# Happens:  the Python package orders two texts (`"2021-05-05" > "2020-01-01"` is true, and so is `"9" > "10"`), and for a text and
#           a number Python's own TypeError leaves `search`, which is none of the package's errors.
# The product turns whatever leaves an expression into its own error: a condition that fails skips the row with that reason, and
# an assertion of a saved case does not hold and says why.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet jmespath==1.1.0
cat > "$folder/look.py" <<'PY'
import jmespath
from jmespath.exceptions import JMESPathError

texts = [jmespath.search("a > b", {"a": a, "b": b}) for a, b in (("2021-05-05", "2020-01-01"), ("9", "10"))]
try:
    mixed = repr(jmespath.search("score > `5`", {"score": "7"}))
except Exception as error:
    mixed = type(error).__name__
    assert not isinstance(error, JMESPathError), error
print("jmespath", jmespath.__version__, "texts", texts, "mixed", mixed)
assert texts == [True, True] and mixed == "TypeError", (texts, mixed)
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: jmespath.py orders text, and raises TypeError for a text beside a number"
