# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
LIBRARY ?= library
PORT ?= 8501
JOBS ?= 1

.PHONY: run test lint fast bench bench-jobs bench-loading samples samples-photo help

run: $(INSTALLED) ## start Strata on http://localhost:8501, with its sample atlas
	@$(BIN)/python -m sample_models.first_run --library $(LIBRARY)
	@$(BIN)/strata serve --library $(LIBRARY) --port $(PORT)

test: lint ## every test that this machine can run; says which it left out and why; JOBS=2: in two processes
	$(BIN)/pytest $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist loadfile)

fast: $(INSTALLED) ## the tests that take seconds
	$(BIN)/pytest -m "not slow and not browser"

bench: $(INSTALLED) ## what is promised, measured beside what people use today → docs/benchmarks.md
	$(BIN)/python -m benchmarks.pictures --layers all
	$(BIN)/python -m benchmarks.step
	$(BIN)/python -m benchmarks.recognition
	$(BIN)/python -m benchmarks.sheet
	$(BIN)/python -m benchmarks.compiled
	$(BIN)/python -m benchmarks.measure
	$(BIN)/python -m benchmarks.dashboard
	$(BIN)/python -m benchmarks.dashboard_load

bench-jobs: $(INSTALLED) ## kills, speed-up, scheduling, opening, by the clock: on a machine that does nothing else
	$(BIN)/python -m benchmarks.jobs

bench-loading: $(INSTALLED) ## what opens: nets × formats → docs/loading.md (hours)
	$(BIN)/python -m benchmarks.loading

samples: $(INSTALLED) ## train the sample models again, from nothing
	$(BIN)/python -m sample_models.train

samples-photo: $(INSTALLED) ## train the photo net: make samples-photo PHOTOS=folder with train/ and val/
	$(BIN)/python -m sample_models.photos $(PHOTOS)

lint: $(INSTALLED) ## style, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Strata needs Python 3.11 or newer; name one with `make run PYTHON=…`.")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
