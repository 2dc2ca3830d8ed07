# The two commands: `make run` and `make test`. Everything else serves them.

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do command -v $$name && break; done)
VENV := .venv
PY := $(VENV)/bin/python
STATE_DIR ?= $(CURDIR)/var
export STATE_DIR

.DEFAULT_GOAL := help
.PHONY: help install install-dev install-lint run test test-deep lint types suite bench screenshots clean

help:
	@echo "make run    install, load the demo and start the site on port $${PORT:-8000}"
	@echo "make test   install, lint, type-check and run every test on SQLite and PostgreSQL"
	@echo "make test-deep   ten times the examples in any order, and both commands on a bare Debian: hours"
	@echo "make bench  time the option kernel against its peers"

# Succeeds or leaves nothing; does nothing when the requirements are those installed before.
install:
	@"$(PYTHON)" .ci/environment.py $(VENV) requirements.txt
install-dev:
	@"$(PYTHON)" .ci/environment.py $(VENV) requirements.txt requirements-dev.txt

# The linters of pages, styles and scripts run on Node; nothing of them ships.
install-lint: install-dev
	@$(PY) .ci/node_tools.py

run: install
	@echo "Database: bringing its tables up to date"
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py demo load
	@echo "Site: starting web server, workers, relay and schedule"
	@exec $(PY) manage.py up

lint: install-lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) -m tests.file_sizes
	$(VENV)/bin/djlint --lint --quiet templates
	node_modules/.bin/stylelint "journal/static/css/*.css" "templates/**/*.css"
	node_modules/.bin/eslint journal/static

types: install-dev
	$(VENV)/bin/mypy

# On both databases at once, a worker for each; the last line is pytest's own.
suite: install-dev
	.ci/chromium
	STATE_DIR=$$(mktemp -d) $(PY) manage.py makemigrations --check --dry-run
	ALVH_TEST_DB=both $(PY) -m pytest -n 2 --durations=20

test: lint types suite

# Hours: ten times the examples, new ones each time, any order, and the two commands on a bare Debian.
test-deep: export ALVH_TEST_DEPTH := deep
test-deep: lint types
	.ci/chromium
	ALVH_TEST_DB=both $(PY) -m pytest -n 2 --durations=20 --timeout 7200 \
		--random-order --random-order-seed=$${SEED:-$$(date +%s)}

# Peers live in an environment of their own: the site never sees them.
bench:
	@"$(PYTHON)" .ci/environment.py .venv-bench requirements.txt requirements-bench.txt
	.venv-bench/bin/python -m bench $(BENCH)

screenshots: install-dev
	.ci/chromium
	$(PY) docs/screenshots.py

clean:
	rm -rf $(VENV) .venv-bench node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
