#!/usr/bin/env bash
# deploy/backup.sh FOLDER: a backup of an installation while it works, into a folder that does not exist yet.
#
# Reads HQ_DATABASE_URL, WORKSPACE_DATABASE_URL, DAGSTER_DATABASE_URL (each database that is named is dumped, in one
# snapshot of its own) and ENRICH_HOME, ENRICH_UPLOADS, ENRICH_WAREHOUSE. Needs pg_dump of the server's version or newer.
# Behind a connection pooler also HQ_DATABASE_DIRECT_URL, WORKSPACE_DATABASE_DIRECT_URL, DAGSTER_DATABASE_DIRECT_URL:
# pg_dump sets its session, which a pooler would hand to others.
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

# Row level security is asked of everybody but superusers: the role has to be one that works on all rows.
hidden_tables="select string_agg(c.relname, ', ') from pg_class c where c.relkind in ('r', 'p') and row_security_active(c.oid)
    and not exists (select from pg_policy p, unnest(p.polroles) as r where p.polrelid = c.oid
        and p.polname in ('enrich_works', 'enrich_keeps') and pg_has_role(r, 'usage'))"
dump() { # NAME URL [DIRECT_URL]: only past a pooler, which takes or forgets the setting by which it is told
    direct=${3:-$2}
    told=$(PGOPTIONS='-c enrich.direct=yes' psql --no-psqlrc --tuples-only --no-align --dbname="$direct" \
        -c "select current_setting('enrich.direct', true)" 2>&1) && [ "$told" = yes ] || {
        echo "backup: $1: $told" >&2
        echo "backup: $1 is not dumped through a connection pooler: set ${1^^}_DATABASE_DIRECT_URL to the server's" >&2
        exit 1
    }
    hidden=$(psql --no-psqlrc --tuples-only --no-align --dbname="$direct" -c "$hidden_tables")
    [ -z "$hidden" ] || { echo "backup: $1: this role does not see all rows of $hidden" >&2; exit 1; }
    pg_dump --enable-row-security --format=custom --no-owner --no-privileges --file="$1.dump" --dbname="$direct"
}

files warehouse "${ENRICH_WAREHOUSE:-$ENRICH_HOME/warehouse}"
dump hq "$HQ_DATABASE_URL" "${HQ_DATABASE_DIRECT_URL:-}"
[ -z "${WORKSPACE_DATABASE_URL:-}" ] || [ "$WORKSPACE_DATABASE_URL" = "$HQ_DATABASE_URL" ] \
    || dump workspace "$WORKSPACE_DATABASE_URL" "${WORKSPACE_DATABASE_DIRECT_URL:-}"
[ -z "${DAGSTER_DATABASE_URL:-}" ] || [ "$DAGSTER_DATABASE_URL" = "$HQ_DATABASE_URL" ] \
    || dump dagster "$DAGSTER_DATABASE_URL" "${DAGSTER_DATABASE_DIRECT_URL:-}"
files uploads "${ENRICH_UPLOADS:-$ENRICH_HOME/uploads}"
find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS
sync
cd - >/dev/null
mv "$target.unfinished" "$target"
echo "backup: $target"
