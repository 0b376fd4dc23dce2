# Each target prepares what it needs on a fresh machine; a second run is instant. See README.md.
#   make demo [ATTACK=print|replay|other-person|other-document]
#   make serve [PORT=8443]
#   make test | check | bench [QUICK=1] | setup | lock
# NO_APT=1 installs no Debian package; PYTHON=… names the interpreter.

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench lock clean
python := .venv/bin/python
# Numeric libraries would otherwise start a thread per core in every one of several processes.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

help:
	@sed -n 's/^#   //p' Makefile

setup:
	@scripts/setup test

demo:
	@scripts/setup demo
	@$(python) -m app demo $(if $(ATTACK),--attack $(ATTACK))

serve:
	@scripts/setup serve
	@$(python) -m app serve --people $(if $(PORT),--port $(PORT))

check:
	@scripts/setup serve
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy
	.venv/bin/lint-imports
	$(python) scripts/scan

test: setup check
	$(python) -m pytest $(PYTEST)

bench:
	@scripts/setup demo
	@$(python) -m tests.bench $(if $(QUICK),--quick)

lock:
	@scripts/setup serve
	@scripts/lock

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
