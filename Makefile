# Halfyear. `make help` lists the targets; `make run` and `make test` need nothing prepared.

# Any Python from 3.11 on; set PYTHON to choose another one.
PYTHON ?= python3
VENV   ?= .venv
# The half-year that `make run` prints.
PERIOD ?= 2022-S1
# What `make bench` measures: rows of the export (20000000 is full size), and sections (all but the nights).
ROWS       ?= 2000000
ONLY       ?=
BENCH_VENV ?= .venv-bench
# How many edits `make replay` and `make edits` make.
EDITS      ?= 400

BIN      := $(VENV)/bin
UV       := $(VENV)/uv/bin/uv
# Compiled once here, whatever PYTHONDONTWRITEBYTECODE says: every task of a night is a process of its own.
UV_PIP   := VIRTUAL_ENV=$(VENV) UV_COMPILE_BYTECODE=1 $(UV) pip
HALFYEAR := $(BIN)/halfyear

.DEFAULT_GOAL := help
.PHONY: help run test long edits replay lint format docs bench bench-night lock clean environment test-environment bench-environment \
  test-packages

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: environment ## one night on a fresh machine: warehouse, Airflow, demo exports, 2021-S2 sealed, the tables
	$(HALFYEAR) up
	$(HALFYEAR) demo
# Exit code 1 says that the night found something wrong with the exports; the demo exports have such rows.
	$(HALFYEAR) run || test $$? -eq 1
# The draft of the earlier half-year has three figures that the rows do not give: they are sealed by name. A later make
# run finds the seal; where a figure moved since, it says so.
# One account plays both persons here: the seal says that nothing proves them.
	-HALFYEAR_DECLARED_NAMES=allow $(HALFYEAR) publish 2021-S2 --prepared-by 经办人 --approved-by 审核人 --note "首次发布" \
	  --except counter_cases --except cloud_systems_migrated --except account_activation_rate >/dev/null
	$(HALFYEAR) verify
	$(HALFYEAR) indicators $(PERIOD)
	$(HALFYEAR) status

test: test-environment test-packages lint ## every check and every test
# Two at a time, in the order of the folders: the many short tests come last and fill what is left.
	$(BIN)/pytest -m "not long" --numprocesses 2 --dist loadgroup --no-loadscope-reorder

long: test-environment test-packages ## the tests that take minutes each and are no part of `make test`
	$(BIN)/pytest -m long

edits: test-environment ## ask a seal to print the same after EDITS edits of the declarations, one at a time
	SEALED_EDITS=$(EDITS) $(BIN)/pytest -p no:cacheprovider tests/integration/test_sealed_prints.py

# The suite takes 6 edits.
replay: test-environment ## hold replay to contracts that were right from the start, over EDITS random edits of contracts
	REPLAY_EDITS=$(EDITS) $(BIN)/pytest -p no:cacheprovider tests/integration/test_replay.py -k right_from_the_start

lint: test-environment ## style, types, layers of the package, SQL
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql plugins docs/how-to/examples benchmarks/sql

format: test-environment ## let the formatters have their way
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/sqlfluff fix sql plugins

docs: environment ## write the generated pages: data dictionary, indicator list, JSON Schema
	$(HALFYEAR) docs

bench: bench-environment ## measure against the limits of this machine, e.g. ROWS=2000000 ONLY=load,register
	$(BENCH_VENV)/bin/python -m benchmarks --rows $(ROWS) --only "$(ONLY)"

bench-night: bench-environment ## measure nights through the real scheduler
	$(BENCH_VENV)/bin/python -m benchmarks --only night

clean: ## stop what runs; remove environment and caches, but not the warehouse in .halfyear
	if test -x $(HALFYEAR); then $(HALFYEAR) down; fi
	rm -rf $(VENV) $(BENCH_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache plugins/*.egg-info demo/*.egg-info build
	find dags plugins demo tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# -- environment ------------------------------------------------------------------------------------------

environment: $(VENV)/run.stamp

test-environment: $(VENV)/test.stamp

# What Halfyear is compared with is in an environment of its own.
bench-environment: $(BENCH_VENV)/bench.stamp

# `make run` after `make test` keeps the test packages.
$(VENV)/run.stamp: requirements.txt pyproject.toml demo/pyproject.toml $(UV)
	$(UV_PIP) sync --require-hashes $(if $(wildcard $(VENV)/test.stamp),requirements-test.txt,requirements.txt)
	$(UV_PIP) install --no-deps --no-build-isolation --editable . --editable demo
	$(BIN)/python -m compileall -q plugins demo
	touch $@

$(VENV)/test.stamp: requirements-test.txt requirements.txt pyproject.toml demo/pyproject.toml $(UV)
	$(UV_PIP) sync --require-hashes requirements-test.txt
	$(UV_PIP) install --no-deps --no-build-isolation --editable . --editable demo
	$(BIN)/python -m compileall -q plugins demo
	touch $(VENV)/run.stamp $@

$(BENCH_VENV)/bench.stamp: requirements-bench.txt pyproject.toml demo/pyproject.toml $(UV)
	$(UV) venv --quiet --allow-existing --python $(BIN)/python $(BENCH_VENV)
	VIRTUAL_ENV=$(BENCH_VENV) UV_COMPILE_BYTECODE=1 $(UV) pip sync --require-hashes requirements-bench.txt
	VIRTUAL_ENV=$(BENCH_VENV) UV_COMPILE_BYTECODE=1 $(UV) pip install --no-deps --no-build-isolation --editable . --editable demo
	touch $@

# uv lives beside the environment, not in it, where `uv pip sync` would remove it.
$(UV): requirements-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Halfyear needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 3; }
	$(PYTHON) -m venv $(VENV) || { $(call debian_packages,python3-venv) && $(PYTHON) -m venv $(VENV); }
	$(BIN)/python -m pip install --quiet --require-hashes --upgrade --target $(VENV)/uv -r requirements-bootstrap.txt
	touch $@

# Debian packages, where we may install them; elsewhere a word on what is missing.
define debian_packages
if command -v apt-get >/dev/null && { test "$$(id -u)" = 0 || sudo -n true 2>/dev/null; }; then \
  if test "$$(id -u)" = 0; then root=; else root="sudo -n"; fi; \
  $$root apt-get update -qq && \
  $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1); \
else echo "not installed, and not installable from here: $(1)" >&2; false; fi
endef

# What the tests need besides Python: a browser and its driver, docker-compose, LibreOffice and Chinese fonts. Tests whose
# tool is missing on a machine without apt-get fail with its name.
test-packages:
	@missing=; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v chromedriver >/dev/null || missing="$$missing chromium-driver"; \
	command -v docker-compose >/dev/null || missing="$$missing docker-compose"; \
	command -v soffice >/dev/null || missing="$$missing libreoffice-writer-nogui"; \
	command -v pdftotext >/dev/null || missing="$$missing poppler-utils"; \
	fc-list :lang=zh 2>/dev/null | grep -q . || missing="$$missing fontconfig fonts-wqy-zenhei"; \
	test -z "$$missing" || { $(call debian_packages,$$missing); } || true

# -- locks ------------------------------------------------------------------------------------------------

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

lock: $(UV) ## pin and hash every package anew, as little changed as possible
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) pyproject.toml --extra test --constraint requirements.txt --output-file requirements-test.txt
	$(COMPILE) pyproject.toml --extra bench --constraint requirements.txt --output-file requirements-bench.txt
	$(COMPILE) pyproject.toml --extra scale-out --constraint requirements.txt --output-file requirements-scale-out.txt
	sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements-bootstrap.txt | $(COMPILE) - --output-file requirements-bootstrap.txt
