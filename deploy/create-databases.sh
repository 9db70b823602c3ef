#!/bin/sh
# Run once by the Postgres image on an empty volume: a role that is no superuser, and three databases that it owns.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$ENRICH_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role enrich login nosuperuser nocreatedb nocreaterole password :'password';
create database enrich_hq owner enrich;
create database enrich_workspace owner enrich;
create database dagster owner enrich;
revoke connect on database enrich_hq, enrich_workspace, dagster from public;
SQL
