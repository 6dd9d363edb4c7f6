# Each target makes its own .venv from nothing; nothing else is needed on a fresh machine.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
RUNS := $(VENV)/.runs
STAMP := $(VENV)/.installed

.PHONY: install demo check test torture bench bench-quick bench-scaling lint clean

install: $(STAMP)

# The constraints file pins the exact tested set; plain torch would bring gigabytes of CUDA along. Python compiles what
# it imports, a tenth of what pip would compile.
$(RUNS): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) -e '.[joblib]'
	@touch $(RUNS)

$(STAMP): $(RUNS)
	$(PIP) -e '.[dev]'
	@touch $(STAMP)

# A driver that learned in its dream, scored on unseen real tracks. Run it again and nothing is computed twice.
demo: $(RUNS)
	$(BIN)/wmframe run experiment=car_racing preset=quick

# What the loops cost beside what they could: one table, and build/bench.json. Ratios are of one run on one machine.
bench: install
	$(BIN)/python -m benchmarks

bench-quick: install
	$(BIN)/python -m benchmarks --quick

# How the costs grow, as curves: docs/performance.svg.
bench-scaling: install
	$(BIN)/python -m benchmarks.scaling

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The quick part: seconds to minutes.
check: lint
	$(BIN)/pytest -q -n 2 -m "not slow"

test: lint
	$(BIN)/pytest -q -n 2

# Every promise of docs/reliability.md, broken on purpose, in full. May be broken off and goes on where it stopped.
torture: install
	WMFRAME_TORTURE=full $(BIN)/pytest -q -n 2 tests/torture tests/golden/test_zoo.py

# What was computed (artefacts/, runs/) is yours and stays.
clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
