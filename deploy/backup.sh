#!/usr/bin/env bash
# deploy/backup.sh FOLDER: a backup of an installation while it works, into a folder that does not exist yet.
#
# Reads HQ_DATABASE_URL, WORKSPACE_DATABASE_URL, DAGSTER_DATABASE_URL (each database that is named is dumped, in one
# snapshot of its own) and ENRICH_HOME, ENRICH_UPLOADS, ENRICH_WAREHOUSE. Needs pg_dump of the server's version or newer.
# The order makes the parts fit: files of the warehouse are older than HQ's snapshot, kept uploads are never less than it
# names. Whatever ends this script leaves FOLDER.unfinished, which is no backup.
set -euo pipefail
umask 077
: "${HQ_DATABASE_URL:?names the database to back up; for the embedded server see docs/deployment.md}"
: "${ENRICH_HOME:?names the home}"
target=${1:?usage: deploy/backup.sh FOLDER}
[ ! -e "$target" ] || { echo "backup: $target is there already" >&2; exit 1; }
rm -rf "$target.unfinished"
mkdir -p "$target.unfinished"
cd "$target.unfinished"

files() { # NAME PLACE: copy a folder; what is in an object store stays there
    case "$2" in
        *://*) echo "backup: $1 are at $2: keep versions of that bucket" >&2 ;;
        *) mkdir "$1"; [ ! -d "$2" ] || tar --format=posix -C "$2" --exclude=spill --exclude=locks --exclude='*.unfinished' \
               --exclude='.incoming-*' --ignore-failed-read --warning=no-file-changed --warning=no-file-removed -cf - . \
               | tar -C "$1" -xpf - ;;
    esac
}

files warehouse "${ENRICH_WAREHOUSE:-$ENRICH_HOME/warehouse}"
pg_dump --format=custom --no-owner --no-privileges --file=hq.dump --dbname="$HQ_DATABASE_URL"
[ -z "${WORKSPACE_DATABASE_URL:-}" ] || [ "$WORKSPACE_DATABASE_URL" = "$HQ_DATABASE_URL" ] \
    || pg_dump --format=custom --no-owner --no-privileges --file=workspace.dump --dbname="$WORKSPACE_DATABASE_URL"
[ -z "${DAGSTER_DATABASE_URL:-}" ] || [ "$DAGSTER_DATABASE_URL" = "$HQ_DATABASE_URL" ] \
    || pg_dump --format=custom --no-owner --no-privileges --file=dagster.dump --dbname="$DAGSTER_DATABASE_URL"
files uploads "${ENRICH_UPLOADS:-$ENRICH_HOME/uploads}"
find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS
sync
cd - >/dev/null
mv "$target.unfinished" "$target"
echo "backup: $target"
