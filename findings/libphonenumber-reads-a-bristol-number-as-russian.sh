#!/usr/bin/env bash
# Expected: a British number in a row of the United States parses as no number, or as an impossible one.
# Happens:  libphonenumber takes the `011` of `0117 496 0123` (Bristol) for the American prefix of international calls and
#           parses +7 496 0123, Russia, which it calls possible; and a number of New York in a German row is *valid*, because
#           German numbers have many lengths. Neither `is_possible_number` nor `is_valid_number` says that it is not what
#           was written; the library's own text matcher, which asks for the trunk prefix, does.
# The product asks for a valid number, a prefix that stands alone, and the country's way of writing (domain/phones.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet phonenumbers==9.0.43
cat > "$folder/look.py" <<'PY'
import phonenumbers

bristol = phonenumbers.parse("0117 496 0123", "US")
print("phonenumbers", phonenumbers.__version__, "Bristol in a US row:", bristol)
assert (bristol.country_code, phonenumbers.is_possible_number(bristol)) == (7, True)
new_york = phonenumbers.parse("212 736 5000", "DE")
print("New York in a German row is valid:", phonenumbers.is_valid_number(new_york))
assert phonenumbers.is_valid_number(new_york)
assert not list(phonenumbers.PhoneNumberMatcher("212 736 5000", "DE"))
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: possible and valid are not what was written"
