# Everything that people and CI run here; `make help` lists it. Needs python3.11 or newer, git and make, nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
WORKERS ?= 2
UPGRADE ?=
STATE ?=
# Reason: a packaged uv is used where there is one; pip brings the pinned one otherwise (seconds, where pip takes minutes).
UV = $(or $(shell command -v uv 2>/dev/null),$(BIN)/uv)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
# Reason: 4 s once; without it the first start of each process takes 3 s longer, or every start where Python writes no cache.
BYTECODE = --compile-bytecode
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	$(if $(UPGRADE),--upgrade)

.PHONY: help demo test check bench mutants soak up down secrets metabase format lock clean

help: ## List the targets
	@if [ -t 1 ] && [ -z "$$NO_COLOR" ]; then on="$$(printf '\033[36m')"; off="$$(printf '\033[0m')"; fi; \
	awk -v on="$$on" -v off="$$off" -F ':.*## ' \
		'/^[a-z]+:.*## / { printf "  %s%-8s%s %s\n", on, $$1, off, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.runtime ## See the whole platform work on a simulated Meta: no token, no Docker
	@$(BIN)/meta-ads demo

test: check ## Everything that CI runs: check, then all tests (WORKERS=2 at once)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

check: $(VENV)/.dev ## Style, types, who imports whom, SQL, Dagster's definitions; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint dbt_project
	$(BIN)/python -m pytest -q -p no:cacheprovider -W ignore tests/orchestration/test_definitions.py -k 'asset_keys or loads_it'

bench: $(VENV)/.dev ## Measure speed and memory; prints the README's table
	@$(BIN)/python -m tests.bench

mutants: $(VENV)/.dev ## Plant bugs in the SQL, one by one: do the tests notice? Not part of test (WORKERS=2)
	@$(BIN)/python -m tests.mutations --workers $(WORKERS)

soak: $(VENV)/.dev ## A day of ticks in fast motion, with faults (about 25 minutes); its short form is part of test
	@$(BIN)/python -m tests.soak

up: $(VENV)/.runtime ## Run the platform, Dagster's pages on port 3000; Ctrl-C ends it
	@$(BIN)/meta-ads up

down: ## Stop what runs in the background
	@if [ -x $(BIN)/meta-ads ]; then $(BIN)/meta-ads down; else echo "Nothing is installed, so nothing runs."; fi

secrets: ## Draw the passwords that docker-compose.yml mounts, into secrets/; keeps what is there
	@orchestration/deploy/make_secrets.sh

metabase: ## Bring the Metabase of docker-compose.yml in line with the dashboards
	@docker compose --profile apply run --build --rm metabase-apply

format: $(VENV)/.dev ## Put code into its form, and mend what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(BIN)/python ## Pin what pyproject.toml asks for, with hashes (UPGRADE=1 takes the newest)
	$(COMPILE) --extra dev --output-file requirements/dev.txt pyproject.toml
	$(COMPILE) --constraint requirements/dev.txt --output-file requirements/runtime.txt pyproject.toml
	$(COMPILE) --no-annotate --output-file requirements/build.txt requirements/build.in

clean: ## Remove the environment and caches (STATE=1: the embedded database and its data too)
	@if [ -n "$(STATE)" ] && [ -x $(BIN)/meta-ads ]; then $(BIN)/meta-ads down; fi
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf dbt_project/target dbt_project/logs $(if $(STATE),.meta-ads)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@found=; for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
		if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; \
		then found="$$candidate"; break; fi; done; \
	if [ -z "$$found" ]; then \
		echo "No Python 3.11, 3.12 or 3.13 found; install one, or name it: make PYTHON=/path/to/python3" >&2; exit 2; fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	rm -rf $(VENV); \
	if command -v uv >/dev/null 2>&1; then uv venv --quiet --python "$$(command -v "$$found")" $(VENV); else \
		"$$found" -m venv $(VENV) || { echo "Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 2; }; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt; fi

$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing pinned packages (requirements/runtime.txt)"
	@$(INSTALL) $(BYTECODE) --require-hashes -r requirements/runtime.txt
	@$(INSTALL) --build-constraints requirements/build.txt --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing pinned packages (requirements/dev.txt)"
	@$(INSTALL) $(BYTECODE) --require-hashes -r requirements/dev.txt
	@$(INSTALL) --build-constraints requirements/build.txt --no-deps --editable .
	@touch $(VENV)/.runtime $@
