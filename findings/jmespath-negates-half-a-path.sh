#!/usr/bin/env bash
# Expected: `!contact.email` is true where the contact has no e-mail address, as in JavaScript, Python, jq or Jinja2.
# Happens:  JMESPath's `!` binds closer than its dot: it is `(!contact).email`, a member of a boolean, and so null whatever
#           the data is. As the condition of a paid step that skips every row. `!emails[0]` is read as one would expect.
# The product refuses such an expression when a workflow is saved, and says how to write it: `!(contact.email)`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet jmespath==1.1.0
cat > "$folder/look.py" <<'PY'
import jmespath

with_one, without = {"contact": {"email": "a@b.example"}, "emails": ["x"]}, {"contact": {}, "emails": []}
expressions = ["!contact.email", "!(contact.email)", "!emails[0]"]
found = {text: [jmespath.search(text, data) for data in (with_one, without)] for text in expressions}
print("jmespath", jmespath.__version__, found)
assert found == {"!contact.email": [None, None], "!(contact.email)": [False, True], "!emails[0]": [False, True]}, found
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: to JMESPath, !contact.email is a member of a boolean"
