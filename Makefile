# The commands a person runs; `make help` lists them. All of them set up what they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/bootstrap/bin/uv
STAMP := $(VENV)/.set-up
INFRASTRUCTURE_STAMP := $(VENV)/.set-up-for-infrastructure
DEVELOPMENT_STAMP := $(VENV)/.set-up-for-development
PYTEST_WORKERS ?= 2
# Whole files, in the order of tests/support/order_of_files.py.
IN_PARALLEL := -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

# Waits for another user of apt, not for a network that does not answer.
APT_GET := DEBIAN_FRONTEND=noninteractive timeout 600 apt-get --quiet=2 --yes \
	-o DPkg::Lock::Timeout=120 -o Acquire::Retries=1 -o Acquire::http::Timeout=20

# An interpreter or tool must not pick packages from folders of this repository.
export PYTHONSAFEPATH := 1
unexport PYTHONPATH
# Hundreds of processes import dbt or Airflow: each would compile them again, which takes longer than they run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup system-packages demo up down test test-fast lint workflows governance format baseline bench audit clean lock

help: ## list the commands
	@if test -t 1 && test -z "$${NO_COLOR:-}"; then on='\033[36m' off='\033[0m'; else on= off=; fi; \
	awk -F ':.*## ' -v on="$$on" -v off="$$off" '/^[a-z-]+:.*## /{printf "  %smake %-16s%s %s\n", on, $$1, off, $$2}' $(MAKEFILE_LIST)

# uv installs the locked, hashed set in seconds; it is itself installed from a hashed lock.
$(UV): requirements/bootstrap.txt
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 is not installed"; echo "mend:  install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "error: $(PYTHON) is not Python 3.11"; echo "mend:  make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@rm -rf $(VENV)/bootstrap
	@$(PYTHON) -m venv $(VENV)/bootstrap || { echo "error: no virtual environment could be made"; echo "mend:  on Debian: apt-get install python3.11-venv"; exit 1; }
	@$(VENV)/bootstrap/bin/pip install --quiet --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(STAMP): $(UV) requirements/runtime.txt platform/pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable platform
	@touch $@

$(INFRASTRUCTURE_STAMP): $(STAMP) requirements/infrastructure.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.txt -r requirements/infrastructure.txt
	@touch $@

# Tests run what the image has too: Airflow's providers, PostgreSQL's driver.
$(DEVELOPMENT_STAMP): $(INFRASTRUCTURE_STAMP) requirements/production.txt requirements/development.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes $(foreach lock,runtime infrastructure production development,-r requirements/$(lock).txt)
	@touch $@

setup: $(DEVELOPMENT_STAMP) ## install everything, development tools included, in .venv

# Never fails: what cannot be had here is named, and the tests that need it are skipped.
system-packages: ## install the Debian programs that tests drive, where this user may
	@missing=(); absent=(); \
	for package in $$(sed 's/#.*//' requirements/debian-packages.list); do \
		state=$$(dpkg-query --show --showformat='$${db:Status-Status}' $$package 2>/dev/null) || true; \
		test "$$state" = installed || missing+=($$package); \
	done; \
	if ! (($${#missing[@]})); then exit 0; fi; \
	may=$$(test "$$(id -u)" = 0 && $(APT_GET) update &>/dev/null && echo 1) || true; \
	for package in $${missing[@]}; do \
		test "$$may" && echo "installing Debian's $$package" && $(APT_GET) install --no-install-recommends $$package &>/dev/null \
			|| absent+=($$package); \
	done; \
	if (($${#absent[@]})); then echo "skipped: tests that need $${absent[*]}, which cannot be installed here (on Debian: apt-get install $${absent[*]})"; fi

demo: $(STAMP) ## run the whole platform on this machine; FROM=<folder or zip> ALLOW_MISSING=1
	@$(BIN)/olist demo $(if $(FROM),--from "$(FROM)") $(if $(filter 1 true yes,$(ALLOW_MISSING)),--allow-missing)

up: $(STAMP) ## start Airflow on this machine, with its web page; PORT=8080
	@$(BIN)/olist up $(if $(PORT),--port "$(PORT)")

down: $(STAMP) ## stop it
	@$(BIN)/olist down

test: $(DEVELOPMENT_STAMP) system-packages ## prove everything
	$(BIN)/pytest $(IN_PARALLEL)

test-fast: $(DEVELOPMENT_STAMP) ## the subset for the inner loop, under a minute
	$(BIN)/pytest $(IN_PARALLEL) -m "not slow"

lint: $(DEVELOPMENT_STAMP) governance ## formats, lints, types, SQL, workflow files, governance of models
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy platform/src dags tests
	$(BIN)/mypy infra
	$(BIN)/mypy policies
	$(BIN)/sqlfmt --check --quiet --no-progressbar dbt

# Wide, so that dbt-bouncer's table of faults can be read where no terminal tells the width.
governance: $(DEVELOPMENT_STAMP) ## names, owners, descriptions, contracts and tests of every dbt model
	@$(BIN)/olist dbt --env local -- parse --quiet
	@COLUMNS=180 $(BIN)/dbt-bouncer run --config-file dbt/dbt-bouncer.yml --output-only-failures

workflows: $(DEVELOPMENT_STAMP) ## schemas and security of .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet .github

# Strict: a package that the service does not know is a fault, not a pass.
audit: $(DEVELOPMENT_STAMP) ## look for known vulnerabilities of the locked packages, over the network
	$(BIN)/pip-audit --strict --require-hashes --disable-pip $(foreach name,bootstrap runtime infrastructure production development,-r requirements/$(name).txt)

format: $(DEVELOPMENT_STAMP) ## write what lint would complain of and can be written
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfmt --quiet --no-progressbar dbt

baseline: $(DEVELOPMENT_STAMP) ## accept today's columns, types and access as what is decided
	PYTHONPATH=tests/support $(BIN)/python tests/support/schema_baseline.py
	$(BIN)/python -W ignore tests/support/access_matrix.py

bench: $(STAMP) ## print ratios measured in one run
	@$(BIN)/olist bench

lock: $(UV) ## resolve requirements/*.in into the hashed locks
	@for name in bootstrap runtime infrastructure production development; do \
		$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
			--custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.txt; \
	done

clean: ## remove the virtual environment, data and caches
	rm -rf $(VENV) data dbt/target dbt/logs .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
