# `make demo` and `make test` need only Python 3.11+, make and, the first time, a package index.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
LOCK   := requirements.lock
EXTRACT := $(VENV)/map/Helsinki.osm.pbf

.PHONY: demo test test-real bench fuzz chaos lint format lock docs wheel clean help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(VENV)/uv.stamp:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.5,<1'
	@touch $@

# what the demo needs
$(VENV)/all.stamp: $(VENV)/uv.stamp pyproject.toml $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint $(LOCK) -e '.[all]'
	@touch $@

# what the developers need besides
$(VENV)/dev.stamp: $(VENV)/all.stamp
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint $(LOCK) -e '.[dev]'
	@touch $@

# what the tests against the real world need besides; without it they are skipped
$(VENV)/real.stamp: $(VENV)/dev.stamp scripts/helsinki_extract.py
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint $(LOCK) -e '.[dev,browser-test]' \
		|| echo 'no Playwright: the tests in a browser will be skipped'
	$(BIN)/python scripts/helsinki_extract.py $(VENV)/map \
		|| echo 'no extract of Helsinki: the tests of a real map will be skipped'
	@touch $@

demo: $(VENV)/all.stamp  ## three devices live a simulated day, with a page to watch
	$(BIN)/trivet demo

test: $(VENV)/dev.stamp  ## lint, types, floors and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q -m 'not real' -n 2 --dist loadfile

test-real: $(VENV)/real.stamp  ## against recorded data, servers and a browser
	@test ! -f $(EXTRACT) || export TRIVET_HELSINKI_PBF=$(abspath $(EXTRACT)); \
		$(BIN)/pytest -q -m real -rs

bench: $(VENV)/dev.stamp  ## every figure that the docs quote; an hour
	$(BIN)/python -m benchmarks --all

fuzz: $(VENV)/dev.stamp  ## a million mutated inputs to every decoder; hours
	$(BIN)/python -m scripts.fuzz --runs 1000000

chaos: $(VENV)/dev.stamp  ## 500 faults on four devices, and what they promised; ten minutes, root
	$(BIN)/python -m scripts.chaos --faults 500

lint: $(VENV)/dev.stamp  ## the checks of `make test` without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/dev.stamp  ## put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/uv.stamp  ## choose the versions of every package anew
	$(BIN)/uv pip compile --quiet --universal --all-extras --no-header --no-annotate pyproject.toml -o $(LOCK)

docs: $(VENV)/dev.stamp  ## write the verbs' help into docs/cli.md
	$(BIN)/python scripts/cli_doc.py

wheel: $(VENV)/dev.stamp  ## build the wheel and the sdist into dist/
	$(BIN)/python -m build

clean:  ## remove what was set up and built
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
