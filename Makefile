# `make search` and `make test` set everything up by themselves, in a virtual environment in $(VENV).

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
READY := $(VENV)/.ready
TESTS ?=

.PHONY: help search test check format bench clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/ -/'

search: $(READY)  ## search architectures on scikit-learn's digits, in one to two minutes
	@echo "the command evonas is in $(VENV)/bin: \`. $(VENV)/bin/activate\` lets you call it by its name"
	$(VENV)/bin/evonas run experiments/digits.py

test: $(READY)  ## run the whole test suite
	$(VENV)/bin/pytest $(TESTS)

check: $(READY)  ## lint, formatting, types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(READY)  ## rewrite the code in the project's format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(READY)  ## run the benchmarks, a round each; installs what they compare with
	$(VENV)/bin/python -m pip install -qq --constraint constraints.txt --editable ".[benchmarks]"
	for benchmark in candidates steady compilation simulation startup; do \
		$(VENV)/bin/python benchmarks/$$benchmark.py --rounds 1 || exit 1; done
	$(VENV)/bin/python benchmarks/live.py --rounds 1
	$(VENV)/bin/python benchmarks/operations.py
	$(VENV)/bin/python benchmarks/depthwise.py --rounds 1
	$(VENV)/bin/python benchmarks/history.py --evaluations 200000
	$(VENV)/bin/python benchmarks/large_populations.py --rounds 1
	$(VENV)/bin/python benchmarks/scale.py --evaluations 4000 20000 --devices 1 64

clean:  ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "evonas needs Python 3.11 or newer: none found; set PYTHON=/path/to/python"; exit 1; }
	@echo "setting up $(VENV), in about a minute"
	@$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -qq --upgrade "pip>=25.1"
	$(VENV)/bin/python -m pip install -qq --constraint constraints.txt --editable . --group dev
	@touch $(READY)
