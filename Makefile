# What a person or a machine types here. `make` alone lists the targets.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
USABLE := import importlib.util as u; import sys; \
	sys.exit(not ((3, 11) <= sys.version_info < (3, 14) and (u.find_spec("pip") or u.find_spec("uv"))))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)

LOCK := $(BIN)/python -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --quiet

.PHONY: help setup demo up down test crashes services dbt lint format types imports lock audit sbom bench chaos soak upgrade quality clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY)  ## virtual environment with the pinned dependencies

$(READY): requirements.txt requirements-build.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed (make PYTHON=/path/to/python)." >&2; exit 1; }
	@{ test -x $(BIN)/python && $(BIN)/python -c '$(USABLE)'; } || $(PYTHON) -m venv --clear $(VENV) || \
		{ rm -rf $(VENV); echo "Python's venv does not work: on Debian, apt install python3-venv." >&2; exit 1; }
	@pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; \
	uv="$(BIN)/python -m uv pip install --quiet --compile-bytecode --python $(BIN)/python"; \
	here="--no-deps --no-build-isolation --editable ."; \
	$$pip --require-hashes -r requirements-build.txt 2>/dev/null || $$uv --require-hashes -r requirements-build.txt; \
	{ $$uv --require-hashes -r requirements.txt 2>/dev/null && $$uv $$here 2>/dev/null; } || \
		{ $$pip --require-hashes -r requirements.txt && $$pip $$here; }
	@$(BIN)/python -m compileall -q enrichment_assets  # where Python may not write bytecode, each process would compile
	@touch $(READY)

demo: setup  ## a sample batch from CSV to final leads, through the real parts
	$(BIN)/enrich demo

up: setup  ## database, Dagster, receiver and sandbox; Ctrl-C stops them (make up ARGS= for real providers)
	$(BIN)/enrich up $(ARGS)

ARGS ?= --sandbox

down: setup  ## stop the embedded database
	$(BIN)/enrich down

test: setup  ## all tests but those of the next three, by TEST_WORKERS processes (default 3): much of it is waiting
	$(TESTS) --durations=30 -m "not dbt and not services and not crashes"

crashes: setup  ## tests that kill processes at every crash point, restart databases, take each law's guards out, run a daemon for minutes
	$(TESTS) --durations=10 -m crashes $(sort $(dir $(shell grep -rl mark.crashes tests --include=test_*.py)))

TESTS = $(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

services: setup  ## tests with programs of Debian packages (PgBouncer; mail servers, unpacked into .services), by root; SERVICES=if-there skips without
	$(BIN)/python -m tests.services tests/services --durations=10

dbt: setup  ## the models under real dbt, which is installed for it from the package index
	$(BIN)/pytest -m dbt tests/warehouse/test_dbt.py

TEST_WORKERS ?= 3

lint: setup  ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## rewrite to the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup  ## mypy, strict
	$(BIN)/mypy

imports: setup  ## rooms import downward only
	$(BIN)/lint-imports

lock: setup  ## compile the requirements files from pyproject.toml, keeping pins that fit
	$(LOCK) pyproject.toml --extra dev --output-file requirements.txt
	$(LOCK) pyproject.toml --constraint requirements.txt --no-annotate --output-file requirements-runtime.txt
	$(LOCK) --group build --no-annotate --output-file requirements-build.txt
	$(LOCK) --group audit --no-annotate --output-file requirements-audit.txt

.venv-audit/ready: requirements-audit.txt $(READY)
	@test -x .venv-audit/bin/python || $(BIN)/python -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

audit: .venv-audit/ready  ## known vulnerabilities of what is pinned, and secrets in the repository (licences: a test)
	@$(BIN)/python -m tests.security.audit .venv-audit/bin

sbom: .venv-audit/ready  ## the bill of materials of what runs, dist/sbom.cdx.json (CycloneDX), checked against its schema
	@$(BIN)/python -m tests.security.bill .venv-audit/bin dist/sbom.cdx.json

bench: setup  ## the benchmarks; results in bench/results.json
	$(BIN)/python -m bench

chaos: setup  ## every crash point, then 1,000 random kills
	$(BIN)/python -m tests.chaos

soak: setup  ## batches over harmful links, then with a database that is restarted: SOAK_MINUTES (default 60) each
	$(BIN)/python -m tests.faults --minutes $(SOAK_MINUTES)

SOAK_MINUTES ?= 60

upgrade: setup  ## an earlier version, installed for it from the package index, works on while this one migrates under it
	$(BIN)/python -m tests.upgrade

quality: setup  ## how often the normalisers are right, and where they are not
	$(BIN)/python -m tests.quality

clean:  ## remove the environment and caches, never a home with data
	rm -rf $(VENV) .venv-audit dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .tmp_dagster_home_*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
