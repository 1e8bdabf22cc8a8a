# Everything from a clone: needs Python 3.11 or newer, git and make. `make help` explains the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev up demo test stateful conformance check advisories bench lock clean

PY := .venv/bin/python
UV_VERSION := 0.13.9
TOOLS := .kawal/tools
# uv is taken from the PATH, else from a folder of our own: `uv pip sync` would remove it from .venv again.
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV := $(CURDIR)/.venv
# Compiled once and kept (`make clean` removes it): else each of the many processes that tests start compiles anew.
export PYTHONDONTWRITEBYTECODE :=

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  .venv/bin/kawal --help  the kawal command, after make setup"

setup: .venv/.ready  ## Python environment for running, from requirements.lock (make up does it by itself)

setup-dev: .venv/.ready-dev  ## The same with the tools of test and check, from requirements-dev.lock

up: setup  ## Start everything: PostgreSQL, Temporal, partners, API, worker; Ctrl-C stops it, data stay in .kawal/
	@$(PY) -m devstack.up

demo: setup  ## Drive a dozen cases through the running Kawal and print what happened to each
	@.venv/bin/kawal demo run

test: setup-dev  ## All tests, against real servers
	$(PY) -m pytest --numprocesses=$(or $(PROCESSES),3) --dist=loadscope --no-loadscope-reorder

stateful: setup-dev  ## Everybody who has to do with a case, in any order: five thousand steps, others each time
	$(PY) -m pytest tests/stateful --hypothesis-profile=kawal-long

conformance: setup-dev  ## What an outsider finds with the OpenAPI document and with raw bytes: hundreds of examples, in every role
	KAWAL_CONFORMANCE_EXAMPLES=$(or $(EXAMPLES),200) KAWAL_CONFORMANCE_PHASES=examples,coverage,fuzzing,stateful \
	KAWAL_FUZZ_EXAMPLES=$(or $(EXAMPLES),200)0 $(PY) -m pytest --numprocesses=$(or $(PROCESSES),3) tests/conformance

check: setup-dev  ## Lint, format, types, import rules, migrations against models, advisories where OSV can be reached
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m basedpyright
	.venv/bin/lint-imports
	$(PY) -m devstack.migration_check
	$(PY) -m devstack.advisories

advisories: setup-dev  ## Published advisories about what is locked; fails where OSV (osv.dev) cannot be reached
	$(PY) -m devstack.advisories --required

bench: setup-dev  ## Measure against a bare workflow, and a simulated regency-month; prints tables, writes bench/*.json
	$(PY) -m bench
	$(PY) -m bench.simulation

lock:  ## Resolve both lock files anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	@$(NEED_UV)
	$(UV) $(COMPILE) --extra embedded --output-file requirements.lock
	$(UV) $(COMPILE) --extra embedded --extra dev --output-file requirements-dev.lock

clean:  ## Remove the environment, caches and ALL local data (refused while Kawal is up)
	@if [ -x $(PY) ] && [ -e .kawal/env ]; then $(PY) -m devstack.clean; fi
	rm -rf .venv .kawal .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

NEED_UV = { [ -x $(UV) ] || sh devstack/install_uv.sh $(TOOLS) $(UV_VERSION); }
COMPILE = pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 \
	--no-annotate --no-header --quiet $(UPGRADE)

# An environment with the development tools has everything that running needs, so `make up` never takes them away.
.venv/.ready: requirements.lock .venv/bin/kawal
	@if [ -e .venv/.ready-dev ]; then $(MAKE) --no-print-directory .venv/.ready-dev; \
	else echo "Installing what Kawal needs"; $(NEED_UV) && $(UV) pip sync --require-hashes requirements.lock; fi
	@touch $@

.venv/.ready-dev: requirements-dev.lock .venv/bin/kawal
	@echo "Installing what Kawal and its tests need"
	@$(NEED_UV) && $(UV) pip sync --require-hashes requirements-dev.lock
	@touch $@

.venv/bin/kawal: devstack/kawal.sh .venv/bin/python
	@cp devstack/kawal.sh $@ && chmod 755 $@

.venv/bin/python:
	@$(NEED_UV) && python=$$(sh devstack/find_python.sh) && $(UV) venv --quiet --clear --python "$$python" .venv
