#!/usr/bin/env bash
# Expected: `www.` says nothing: the web site www.nhs.uk is at the domain nhs.uk, so one takes `www.` off before one asks
#           the public suffix list whose domain it is.
# Happens:  nhs.uk, gov.uk, kommune.no and others are public suffixes with a web site of their own. Without `www.` there
#           is no registrable domain left, and the national health service, a government and a whole country's towns have no
#           host. With it the registrable domain is www.nhs.uk.
# The product keeps `www.` where nothing but a public suffix would be left (domain/domains.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tldextract==5.3.0
cat > "$folder/look.py" <<'PY'
import tldextract

extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
hosts = ["www.nhs.uk", "nhs.uk", "www.gov.uk", "gov.uk", "www.kommune.no", "kommune.no", "www.acme.co.uk"]
found = [extract(host).top_domain_under_public_suffix for host in hosts]
print("tldextract 5.3.0, bundled list:", dict(zip(hosts, found)))
assert found == ["www.nhs.uk", "", "www.gov.uk", "", "www.kommune.no", "", "acme.co.uk"], found
PY
"$folder/venv/bin/python" "$folder/look.py"
echo "OK: taking www. off leaves no domain of these sites"
