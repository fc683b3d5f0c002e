# make help says what there is. Paths may hold spaces: every path below is quoted, and none is a target.

# An environment of another user, whose Python can't be run or that can't be written, is left alone.
VENV := $(shell if [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || { [ ! -e .venv ] && [ -w . ]; }; \
	then echo .venv; else echo "$$HOME/.cache/concord-venv-$$(pwd -P | cksum | cut -d' ' -f1)"; fi)
PYTHON := "$(VENV)/bin/python"
PYTEST := $(PYTHON) -m pytest -p no:cacheprovider

# Tests start a hundred processes: where bytecode is not kept, each of them compiles the tree again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup venv oracles demo serve test test-full lint bench screens clean
.NOTPARALLEL:

help:
	@echo 'make setup      virtual environment, packages of Python and npm, engines, database'
	@echo 'make demo       a study from slides to release, with everything running (STUDY=folder, DEMO_ARGS=--exit)'
	@echo 'make serve      the site, workers and engines, until Ctrl-C (PORT=8000)'
	@echo 'make test       all quick tests; make test-full adds the slow rounds'
	@echo 'make lint       formatting, rules, types, architecture, missing migrations'
	@echo 'make bench      measurements, as JSON in var/bench.json'
	@echo 'make screens    pictures of every screen in var/screens, a choice of them in docs/screens'
	@echo 'make clean      what set-up and tools have made; DATA=1 also deletes the database and var/'

venv:
	@bash project/venv.sh "$(VENV)"

setup: venv
	@bash project/npm.sh "$(VENV)"
	@$(PYTHON) manage.py fetch_assets
	@$(PYTHON) -m project.browser
	@$(PYTHON) manage.py prepare_database

oracles: setup
	@bash project/venv.sh "$(VENV)" oracles

demo: setup
	@$(PYTHON) manage.py demo $(if $(STUDY),--study "$(STUDY)") $(DEMO_ARGS)

serve: setup
	@$(PYTHON) -m project.serve

test: setup
	@$(PYTEST) -n 2 -m "not slow and not bench and not screens"

test-full: oracles
	@$(PYTEST) -n 2 -m "not bench and not screens"

# The models are checked against the files of migrations: a database that is down is no matter.
lint: setup
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy & types=$$!; failed=0; \
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as run; run()' || failed=1; \
	$(PYTHON) -W 'ignore:Got an error checking a consistent migration history' \
		manage.py makemigrations --check --dry-run || failed=1; \
	wait $$types || failed=1; exit $$failed

bench: oracles
	@mkdir -p var
	@CONCORD_BENCH_OUTPUT=var/bench.json $(PYTEST) -m bench tests/benchmarks

screens: setup
	@$(PYTEST) -m screens tests/browser/test_screens.py

clean:
	@if [ -n "$(DATA)" ]; then \
		if [ -x $(PYTHON) ]; then $(PYTHON) -m project.embedded discard && rm -rf var; \
		else echo 'The engines are stopped by the Python of the environment, which is gone: make setup first.'; exit 1; fi; \
	elif [ -e var ]; then echo 'var/ (database, slides, secret key) is kept; make clean DATA=1 deletes it too.'; fi
	@rm -rf "$(VENV)" node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
