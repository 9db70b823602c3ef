-- Run once by the Postgres image on an empty volume; HQ itself is POSTGRES_DB.
create database enrich_workspace;
create database dagster;
