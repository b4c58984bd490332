# `make` prints this help. Needed: Python 3.11 or newer with venv, and for the demo and the integration tests
# either Go or access to the official envtest archive. Everything else is set up here, in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= python3
DOCKER ?= docker
IMAGE ?= nsiso:dev
# Given to what a target calls: `make demo ARGS=--keep`, `make unit ARGS="-k names"`, `make lock ARGS=--upgrade`
ARGS ?=
# Given to pytest-kind: `make kind KIND_ARGS="--kind-image=kindest/node:v1.34.0 --keep-cluster"`. Without --kind-bin and
# --kind-kubectl-bin the programs on the PATH are taken; where there are none, pytest-kind downloads these versions.
KIND_ARGS ?=
# Given to the soak test: `make soak SOAK_ARGS="--soak-seconds=60 --soak-seed=7"`
SOAK_ARGS ?=
# Given to the benchmark: `make bench BENCH_ARGS=--full`, `make bench BENCH_ARGS=--help`
BENCH_ARGS ?=
export KIND_VERSION ?= v0.33.0
export KUBECTL_VERSION ?= v1.36.3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.PHONY: help
help: ## Print this help
	@echo 'namespace-isolation: make <target>'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '%-14s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: $(VENV)/.project ## Make .venv with the locked dependencies and this package

# A new lock or a new interpreter renews the dependencies; a change of the project's own data only the package.
$(VENV)/.dependencies: requirements-dev.lock
	@command -v $(PYTHON) >/dev/null || { \
		echo 'setup: $(PYTHON) is not on the PATH; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.13' >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "setup: $(PYTHON) is Python %d.%d, too old; \
	install Python 3.11 or newer, or name one: make PYTHON=python3.13" % sys.version_info[:2])'
	@if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "setup: making $(VENV) with $$($(PYTHON) --version)"; \
		$(PYTHON) -m venv --clear $(VENV) || { \
			echo 'setup: Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv' >&2; \
			exit 1; }; \
	fi
	@echo "setup: installing $$(grep -c '==' $<) packages from $< (about a minute)"
	@$(PIP) install --require-hashes -r $<
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.dependencies
	@echo 'setup: installing namespace-isolation from this folder'
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# The first time, this downloads or builds etcd and the API server, with a progress display that pytest would swallow.
# Nothing to do where the tests run on another cluster.
.PHONY: control-plane
control-plane: setup
	@$(if $(findstring --cluster,$(ARGS)),:,$(BIN)/python -c "$$OBTAIN")

define OBTAIN
import sys
from namespace_isolation.sandbox import Progress, SandboxError, obtain
try:
    obtain(Progress())
except SandboxError as error:
    sys.exit(str(error))
endef
export OBTAIN

.PHONY: demo
demo: setup ## Run the operator on a throwaway control plane and show its main job (ARGS=--keep leaves it running)
	@$(BIN)/nsiso demo $(ARGS)

.PHONY: test
test: lint types imports control-plane ## Run linters, types, layers, unit and integration tests
	@echo 'test: unit and integration tests'
	@$(BIN)/pytest $(ARGS)

.PHONY: lint
lint: setup ## Check style and format (ruff)
	@echo 'lint: ruff'
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: setup ## Check types (mypy --strict)
	@echo 'types: mypy'
	@$(BIN)/mypy

.PHONY: imports
imports: setup ## Check the layers (import-linter)
	@echo 'imports: import-linter'
	@$(BIN)/lint-imports --no-cache

.PHONY: unit
unit: setup ## Run the tests that need no cluster
	@$(BIN)/pytest tests/unit $(ARGS)

.PHONY: integration
integration: control-plane ## Run the tests on a real API server (ARGS=--cluster=current takes the current context)
	@$(BIN)/pytest tests/integration $(ARGS)

.PHONY: soak
soak: control-plane ## Disturb the operator at random, about 6 minutes, and see it come to rest (see SOAK_ARGS)
	@$(BIN)/pytest tests/soak -s $(SOAK_ARGS) $(ARGS)

.PHONY: bench
bench: control-plane ## Measure the operator against the API server itself, about 20 minutes (see BENCH_ARGS)
	@mkdir -p build
	@$(BIN)/python -m tests.bench --json=build/bench.json --chart=build/bench.svg $(BENCH_ARGS) $(ARGS)

.PHONY: kind
kind: setup ## Run the operator as a Deployment in a kind cluster (Docker, kind and kubectl; see KIND_ARGS)
	@$(BIN)/pytest tests/kind $(addprefix --kind-bin=,$(shell command -v kind)) \
		$(addprefix --kind-kubectl-bin=,$(shell command -v kubectl)) $(KIND_ARGS) $(ARGS)

.PHONY: image
image: ## Build the container image (IMAGE=nsiso:dev)
	@$(DOCKER) build --tag $(IMAGE) $(ARGS) .

.PHONY: lock
lock: setup ## Renew the locks after a change in pyproject.toml (ARGS=--upgrade takes the newest versions)
	@$(BIN)/python -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else \
	"lock: make the locks with Python 3.11: it needs backports that newer ones only tolerate; make clean lock PYTHON=python3.11")'
	@echo 'lock: requirements.lock (what the operator needs)'
	@$(BIN)/pip-compile --quiet $(ARGS) --output-file=requirements.lock pyproject.toml
	@echo 'lock: requirements-build.lock (what builds the package)'
	@$(BIN)/pip-compile --quiet $(ARGS) --only-build-deps --build-deps-for=wheel --output-file=requirements-build.lock pyproject.toml
	@echo 'lock: requirements-dev.lock (all of it, and the tools)'
	@$(BIN)/pip-compile --quiet $(ARGS) --extra=dev --build-deps-for=wheel --build-deps-for=editable \
		--constraint=requirements.lock --constraint=requirements-build.lock --output-file=requirements-dev.lock pyproject.toml

.PHONY: crd
crd: setup ## Generate crds/ from the wire model
	@$(BIN)/nsiso crd > crds/namespaceisolations.nsiso.dev.yaml

.PHONY: clean
clean: ## Remove .venv and the caches in this folder
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .pytest-kind
	find operator tests -name __pycache__ -type d -prune -exec rm -rf {} +
