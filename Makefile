# Second Look. On a fresh machine `make demo` and `make test` are all that anybody types.
PORT ?= 8000
VENV ?= .venv
PY = $(VENV)/bin/python
SERVER = $(VENV)/server.stamp
DEV = $(VENV)/dev.stamp
LOCKED = pyproject.toml $(wildcard deploy/requirements/*.txt)
export VENV

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset serve test check bench lock format screenshots clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(SERVER): $(LOCKED)
	@sh deploy/install.sh server

$(DEV): $(LOCKED)
	@sh deploy/install.sh dev && touch $(SERVER)

demo: $(SERVER) ## everything with the demo yard, on http://localhost:$(PORT) (PORT=8000)
	@exec $(PY) manage.py demo --port $(PORT)

demo-reset: $(SERVER) ## forget the demo: database, files, passwords
	@$(PY) -m deploy.demo_reset

serve: $(SERVER) ## the same product, empty, for real use on this machine
	@exec $(PY) manage.py serve --port $(PORT)

test: $(DEV) ## the whole suite; on PostgreSQL and Redis as well when they are in reach
	@$(PY) -m tests.run

check: $(DEV) ## ruff, types, import directions, templates, migrations, deployment settings
	@$(PY) -m deploy.check

bench: $(DEV) ## the benchmarks of the budgets, each beside a baseline of the same run
	@$(PY) -m deploy.benchmarks

screenshots: $(DEV) ## the pictures of docs/screenshots, taken from a fresh demo
	@$(PY) -m deploy.screenshots

format: $(DEV) ## put code into the house's format
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

lock: $(DEV) ## renew deploy/requirements/*.txt from pyproject.toml
	@$(PY) -m deploy.lock

clean: ## remove the virtual environment and caches; data in var/ stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
