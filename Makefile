# The two commands: `make run` and `make test`. Everything else serves them.

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
VENV := .venv
PY := $(VENV)/bin/python
STATE_DIR ?= $(CURDIR)/var
export STATE_DIR

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test lint types suite bench screenshots clean

help:
	@echo "make run    install, load the demo and start the site on port $${PORT:-8000}"
	@echo "make test   install, lint, type-check and run every test on SQLite and PostgreSQL"
	@echo "make bench  time the option kernel against its peers"

$(VENV)/.installed: requirements.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	test -x $(PY) || "$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --upgrade-strategy only-if-needed -r requirements.txt
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

run: install
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py demo load
	exec $(PY) manage.py up

lint: install-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) -m tests.file_sizes

types: install-dev
	$(VENV)/bin/mypy

# On both databases at once, a worker for each; the last line is pytest's own.
suite: install-dev
	.ci/chromium
	STATE_DIR=$$(mktemp -d) $(PY) manage.py makemigrations --check --dry-run
	ALVH_TEST_DB=both $(PY) -m pytest -n 2 --durations=20

test: lint types suite

# Peers live in an environment of their own: the site never sees them.
.venv-bench/.installed: requirements.txt requirements-bench.txt
	test -x .venv-bench/bin/python || "$(PYTHON)" -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	touch $@

bench: .venv-bench/.installed
	.venv-bench/bin/python -m bench $(BENCH)

screenshots: install-dev
	.ci/chromium
	$(PY) docs/screenshots.py

clean:
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
