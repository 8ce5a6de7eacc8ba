# Only make and a Python of 3.11 or later are presumed: `make PYTHON=python3.12 test` picks another one.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench prove-rules prove-kills docs lock sdks

help:  ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

setup: $(STAMP)  ## Make .venv from the lock, development tools included.

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": make PYTHON=... setup")'
	@echo "Setting up $(VENV) from requirements.lock (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --requirement requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## Real daily bars, synthetic minutes: two accounts side by side, one day over the wire, a report.
	$(BIN)/ordinis demo

test: setup  ## The whole test suite.
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

OLD_PYTHON := build/sdk/old-python
NODE := tests/sdk/node

sdks: $(OLD_PYTHON)/.installed $(NODE)/node_modules/.installed  ## Alpaca's other SDKs, for the tests that use them (Node 20 needed).

$(OLD_PYTHON)/.installed: tests/sdk/old_python/requirements.lock
	@$(PYTHON) -m venv $(OLD_PYTHON)
	@$(OLD_PYTHON)/bin/python -m pip install -qq --requirement tests/sdk/old_python/requirements.lock
	@touch $@

$(NODE)/node_modules/.installed: $(NODE)/package-lock.json
	@npm ci --prefix $(NODE) --silent --no-audit --no-fund --ignore-scripts
	@touch $@

check: setup  ## Lint, formatting, types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup  ## How fast, as ratios against the plain-Python loop of the same run.
	$(BIN)/python bench/engine.py --json out/bench.json

prove-rules: setup  ## 10,000 random sessions: no refused order, no violation, no blocked exit.
	$(BIN)/python bench/prove_rules.py --workers $(WORKERS) --json out/prove_rules.json

prove-kills: setup  ## A real SIGKILL at every named boundary, on every kind of account.
	ORDINIS_EVERY_KILL=1 $(BIN)/python -m pytest tests/contract/test_sigkill.py --numprocesses $(WORKERS) --dist loadgroup

docs: setup  ## The pages, into site/.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

lock:  ## Resolve requirements.lock anew: universal, without index addresses. Keeps the versions that still fit.
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install -qq uv
	build/lock/bin/uv pip compile --quiet --universal --no-emit-index-url --python-version 3.11 --all-extras --group dev pyproject.toml --output-file requirements.lock
