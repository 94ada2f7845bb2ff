# The only list of commands. Each word works in a fresh clone; only the first run installs.
.DEFAULT_GOAL := test
.PHONY: setup demo test check system containers bench lock audit up down

BIN := .venv/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
INSTALLED := .venv/installed
EXTRAS := attendance,discipline,notifications,local,dev
TOO_OLD := import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)

define STATIC
$(BIN)/ruff format --check --quiet .
$(BIN)/ruff check --quiet .
$(BIN)/mypy
$(BIN)/lint-imports
endef

setup: $(INSTALLED)  ## .venv, and what is in it

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c '$(TOO_OLD)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

demo: setup  ## the main job, told as a story
	$(BIN)/tertib demo

test: setup  ## everything, on a real Kafka and PostgreSQL; skips are counted
	$(STATIC)
	$(BIN)/pytest

check: setup  ## format, lint, types, contracts, quick tests: under a minute
	$(STATIC)
	$(BIN)/pytest --quiet -m 'not system and not containers'

system: setup  ## real processes, killed and restarted
	$(BIN)/pytest -m system

containers: setup  ## images built, the compose file run, the wire tests on its servers; where a container engine runs
	$(BIN)/pytest -m containers

bench: setup  ## the table of ratios
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS),bench]'
	$(BIN)/python -m benchmarks

lock: setup  ## constraints.txt anew, and from it the hashed lists that images are built from
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --group image --group audit --universal --no-annotate --no-header --output-file constraints.txt
	PATH="$(CURDIR)/$(BIN):$$PATH" deploy/lock

audit: setup  ## known faults of what images hold; exit code 2: the advisories are not reached
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip-audit
	$(BIN)/python -m tools.audit

up: setup  ## the local stack and the services, until `down`
	$(BIN)/tertib up

down: setup
	$(BIN)/tertib down
