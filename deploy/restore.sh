#!/usr/bin/env bash
# deploy/restore.sh FOLDER: a backup into empty databases and a home that has no files yet.
#
# Reads the same variables as backup.sh, of the installation that is to be; the direct ones count where they are set. Nothing of it may run meanwhile. A batch that
# was not finished does not go on by itself afterwards: what it asked after the backup was made is not known here, and
# would be asked, and paid, again. `enrich run BATCH` goes on with one that is looked at.
set -euo pipefail
umask 077
: "${HQ_DATABASE_URL:?names the database to restore into}"
: "${ENRICH_HOME:?names the home}"
source=$(cd "${1:?usage: deploy/restore.sh FOLDER}" && pwd)
(cd "$source" && sha256sum --check --quiet SHA256SUMS)

HQ_DATABASE_URL=${HQ_DATABASE_DIRECT_URL:-$HQ_DATABASE_URL}
WORKSPACE_DATABASE_URL=${WORKSPACE_DATABASE_DIRECT_URL:-${WORKSPACE_DATABASE_URL:-}}
DAGSTER_DATABASE_URL=${DAGSTER_DATABASE_DIRECT_URL:-${DAGSTER_DATABASE_URL:-}}

hq() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$HQ_DATABASE_URL" "$@"; }
[ "$(hq -c "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')")" = 0 ] \
    || { echo "restore: the database that HQ_DATABASE_URL names is not empty" >&2; exit 1; }
for place in "${ENRICH_WAREHOUSE:-$ENRICH_HOME/warehouse}" "${ENRICH_UPLOADS:-$ENRICH_HOME/uploads}"; do
    case "$place" in *://*) continue ;; esac
    [ -z "$(ls -A "$place" 2>/dev/null)" ] || { echo "restore: $place is not empty" >&2; exit 1; }
done

load() { # DUMP URL: without row level security, whose policies name roles of there; the first command makes it anew
    [ ! -f "$source/$1" ] || { listed=$(mktemp); pg_restore --list "$source/$1" | grep -vE ' (POLICY|ROW SECURITY) ' > "$listed"
        pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --use-list="$listed" \
            --dbname="$2" "$source/$1"
        rm "$listed"; }
}
files() { # NAME PLACE
    case "$2" in
        *://*) [ ! -d "$source/$1" ] || echo "restore: copy $source/$1 to $2" >&2 ;;
        *) [ ! -d "$source/$1" ] || { mkdir -p "$2"; cp -Rp "$source/$1/." "$2/"; } ;;
    esac
}

files uploads "${ENRICH_UPLOADS:-$ENRICH_HOME/uploads}"
files warehouse "${ENRICH_WAREHOUSE:-$ENRICH_HOME/warehouse}"
load workspace.dump "${WORKSPACE_DATABASE_URL:-$HQ_DATABASE_URL}"
load dagster.dump "${DAGSTER_DATABASE_URL:-$HQ_DATABASE_URL}"
load hq.dump "$HQ_DATABASE_URL"

# Nothing goes on by itself: no open batch is due, no runner is alive, no run of Dagster is picked up again.
hq <<'SQL'
update batches set resume_at = timestamptz '9999-12-31' where finished_at is null;
update runners set ended_at = clock_timestamp() where ended_at is null;
SQL
hold_runs="do \$\$ begin
    if to_regclass('runs') is not null and to_regclass('event_logs') is not null then
        update runs set status = 'CANCELED'
        where status in ('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING');
    end if;
end \$\$"
if [ -f "$source/dagster.dump" ]; then
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="$DAGSTER_DATABASE_URL" -c "$hold_runs"
else
    hq -c "set search_path = dagster, public" -c "$hold_runs"
fi
hq <<'SQL'
select 'restore: batch ' || b.batch_key || ' was not finished: '
       || count(*) filter (where c.state in ('intent', 'sent')) || ' calls were under way, and what was asked after '
       || 'the backup is not known'
from batches b left join provider_calls c on c.batch_id = b.id
where b.finished_at is null group by b.batch_key order by b.batch_key;
SQL
