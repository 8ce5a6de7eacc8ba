# Only make and a Python of 3.11 or later are presumed: `make PYTHON=python3.12 test` picks another one.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

# What stands in the environment: the packages of the lock, and of Ordinis one build or the other.
PACKAGES := $(VENV)/.packages
EDITABLE := $(VENV)/.editable
COMPILED := $(VENV)/.compiled
INSTALLED := $(if $(wildcard $(COMPILED)),compiled,setup)

.DEFAULT_GOAL := help
.PHONY: help setup compiled demo test test-compiled check bench prove-rules prove-kills docs lock sdks

help:  ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

setup: $(EDITABLE)  ## Make .venv from the lock, development tools included.

$(PACKAGES): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": make PYTHON=... setup")'
	@echo "Setting up $(VENV) from requirements.lock (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --requirement requirements.lock
	@touch $@

$(EDITABLE): $(PACKAGES) pyproject.toml
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@rm -f $(COMPILED)
	@touch $@

compiled: $(COMPILED)  ## The same, the path of an order compiled: the same decisions, sooner (needs a C compiler). `make setup` goes back.

$(COMPILED): $(PACKAGES) pyproject.toml hatch_build.py $(shell find src -name '*.py')
	@echo "Compiling (about two minutes)"
	@rm -rf build/wheel && mkdir -p build
	@ORDINIS_COMPILED=1 $(BIN)/python -m hatchling build --target wheel --directory build/wheel > build/wheel.log 2>&1 || { tail -3 build/wheel.log; false; }
	@$(BIN)/python -m pip install -qq --no-deps --force-reinstall build/wheel/*.whl
	@rm -f $(EDITABLE)
	@touch $@

demo: $(INSTALLED)  ## Real daily bars, synthetic minutes: two accounts side by side, one day over the wire, a report.
	$(BIN)/ordinis demo

test: setup  ## The whole test suite.
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# What a compiler could change: the engine, the exchange and the journal, and whole runs through them.
COMPILED_TESTS := tests/compiled tests/unit/engines tests/unit/brokers/simulated tests/unit/journal tests/unit/runtime \
	tests/property tests/simulation tests/golden

test-compiled: compiled  ## What concerns the compiled parts, on them.
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(COMPILED_TESTS)

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

check: $(INSTALLED)  ## Lint, formatting, types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: compiled  ## How fast, compiled, as ratios against the plain-Python loop of the same run.
	$(BIN)/python bench/engine.py --json out/bench.json

prove-rules: $(INSTALLED)  ## 10,000 random sessions: no refused order, no violation, no blocked exit.
	$(BIN)/python bench/prove_rules.py --workers $(WORKERS) --json out/prove_rules.json

prove-kills: $(INSTALLED)  ## A real SIGKILL at every named boundary, on every kind of account.
	ORDINIS_EVERY_KILL=1 $(BIN)/python -m pytest tests/contract/test_sigkill.py --numprocesses $(WORKERS) --dist worksteal

docs: $(INSTALLED)  ## The pages, into site/.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

lock:  ## Resolve requirements.lock anew: universal, without index addresses. Keeps the versions that still fit.
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install -qq uv
	build/lock/bin/uv pip compile --quiet --universal --no-emit-index-url --python-version 3.11 --extra research --extra pictures --group dev pyproject.toml --output-file requirements.lock
