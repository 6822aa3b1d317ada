# Everything needs Python 3.10+, make and git; what else is needed is installed below.
PYTHON ?= python3
BIN := .venv/bin
# Editable, those that an environment holds.
distributions = $(shell awk '/^[^#]/ && / $(1)( |$$)/ {print "-e", $$1}' distributions.txt)
METADATA := VERSION distributions.txt $(wildcard core/pyproject.toml core/*/pyproject.toml adapters/*/pyproject.toml)
NOX := $(BIN)/nox --no-error-on-missing-interpreters
PIP := -m pip --disable-pip-version-check

# A virtual environment with a pinned set; by pip, slowly, where uv does not find the package index.
define environment
	$(PYTHON) -m venv $(1)
	$(1)/bin/python $(PIP) install --quiet --require-hashes -r requirements/pip.txt
	$(1)/bin/uv pip install --python $(1) --require-hashes -r requirements/$(2).txt \
	  || $(1)/bin/python $(PIP) install --require-hashes -r requirements/$(2).txt
endef

# Without the address of a package index.
RESOLVE = $(abspath $(BIN)/uv) pip compile --quiet --universal --python-version 3.10 \
  --no-emit-index-url --no-annotate --no-header

.PHONY: help install demo example check check-parts check-gateways test test-gateways test-packages \
  matrix-frameworks matrix canary faults fuzz soak coverage table lint format bench dist check-dist pins docs \
  pictures clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

install: .venv/.installed .venv-gateway/.installed  ## Build .venv (client) and .venv-gateway (LiteLLM)

.venv/.installed: requirements/client.txt requirements/pip.txt $(METADATA)
	@echo "== .venv: the client side, with every adapter"
	$(call environment,.venv,client)
	$(BIN)/python $(PIP) install --quiet --no-build-isolation --no-deps $(call distributions,client)
	@touch $@

.venv-gateway/.installed: requirements/gateway.txt requirements/pip.txt $(METADATA)
	@echo "== .venv-gateway: the LiteLLM proxy, with its adapter"
	$(call environment,.venv-gateway,gateway)
	.venv-gateway/bin/python $(PIP) install --quiet --no-deps $(call distributions,gateway)
	@touch $@

demo: install  ## Show a call before and after splicing, as trace trees
	PYTHONPATH=tests $(BIN)/python -m rig.demo

example: install  ## Run a program of examples/ in the demo: make example NAME=spreading_celery
	PYTHONPATH=tests $(BIN)/python -m rig.example $(NAME)

check: install  ## Check style, types, parts, call shapes, and each form of a request on real gateways
	$(MAKE) --jobs=2 lint check-parts check-gateways

check-parts:
	$(BIN)/python -m pytest tests/unit tests/typing tests/contract

check-gateways:
	$(BIN)/python -m pytest tests/conformance/test_forms.py
	$(BIN)/python -m pytest tests/shapes

test: install  ## Run every test: on openai 2 and 3, the oldest packages, and libraries we reach
	rm -rf build/conformance build/frameworks build/faults
	$(MAKE) --jobs=2 test-gateways test-packages
	PYTHONPATH=tests $(BIN)/python -m conformance.table --check
	PYTHONPATH=tests $(BIN)/python -m frameworks.page --check
	PYTHONPATH=tests $(BIN)/python -m faults.table.page --check

# Two lanes that take about equally long: what needs gateways, and what needs the client alone.
test-gateways:
	$(BIN)/python -m pytest tests/conformance
	$(BIN)/python -m pytest tests/doctor
	$(BIN)/python -m pytest tests/docs
	$(BIN)/python -m pytest tests/javascript
	$(NOX) --session installed docs older-gateway oldest
	$(NOX) --install-only --tags each-check
	$(BIN)/python -m pytest tests/frameworks --in-each-check

test-packages:
	$(BIN)/python -m pytest tests/unit tests/typing tests/contract tests/release tests/browser
	$(BIN)/python -m pytest tests/faults --ignore=tests/faults/table
	$(BIN)/python -m pytest tests/faults/table  # by itself: it looks for what is left behind
	$(BIN)/python -m pytest tests/shapes
	$(BIN)/python -m pytest tests/workers
	$(NOX) --session openai3

matrix-frameworks: install  ## Run a program for each library we reach; write docs/frameworks.md
	rm -rf build/frameworks
	$(NOX) --install-only --session framework
	$(BIN)/python -m pytest tests/frameworks; status=$$?; \
	  PYTHONPATH=tests $(BIN)/python -m frameworks.page && exit $$status

matrix: install  ## Try other releases and Pythons, each in an environment of its own; write docs/versions.md
	PYTHONPATH=tests $(BIN)/python -m matrix.run

canary: install  ## Try the newest of everything; write build/canary.md
	PYTHONPATH=tests $(BIN)/python -m matrix.run --canary

faults: install  ## Run each cell of the table of faults; write docs/faults.md
	TRACESPLICE_EVERY_WAY=1 $(BIN)/python -m pytest tests/faults/table; status=$$?; \
	  PYTHONPATH=tests $(BIN)/python -m faults.table.page && exit $$status

fuzz: install  ## Try 20,000 cases and more of links, metadata, headers and carriers; 20,000 bad requests
	TRACESPLICE_PROFILE=fuzz $(BIN)/python -m pytest -q -p fuzz.plugin -m hypothesis tests/unit
	PYTHONPATH=tests $(BIN)/python -m fuzz.gateways

soak: install  ## Make 100,000 calls, and some thousands through gateways; memory has to be flat
	PYTHONPATH=tests $(BIN)/python -m fuzz.soak

coverage: install  ## List the lines of the product that no test in process runs
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests/unit tests/faults -k "not fork"  # hangs under coverage
	$(BIN)/coverage run -m pytest tests/shapes
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

table: .venv/.installed  ## Write docs/compatibility.md from the last test run
	PYTHONPATH=tests $(BIN)/python -m conformance.table

lint: .venv/.installed  ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/.installed  ## Put the code into the common style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: install  ## Count what runs in a call; measure a link, the gateway adapter, the import
	PYTHONPATH=tests $(BIN)/python bench/counts.py
	$(BIN)/python bench/imports.py
	$(BIN)/python bench/spreading.py
	PYTHONPATH=tests $(BIN)/python bench/celery_tasks.py
	$(BIN)/python bench/ray_tasks.py
	PYTHONPATH=tests $(BIN)/python bench/overhead.py
	PYTHONPATH=tests $(BIN)/python bench/gateway.py

docs: install  ## Build the site of the pages into build/site
	$(NOX) --session docs

pictures: install  ## Draw the pictures of the README and the docs again
	for program in langchain llama_index openai; do PYTHONPATH=tests $(BIN)/python -m rig.demo \
	  --program $$program --svg docs/images/$$program.svg || exit 1; done

dist: .venv/.installed  ## Build wheels and sdists of all distributions into build/dist
	PYTHONPATH=tests $(BIN)/python -m release.dist

check-dist: install  ## Run README's commands in new environments, and all call shapes on the wheels
	TRACESPLICE_INSTALLED_FRESH=1 $(NOX) --session installed

pins: .venv/.installed  ## Resolve requirements/*.txt anew from requirements/*.in
	cd requirements && for set in *.in; do \
	  $(RESOLVE) --generate-hashes $$set -o $${set%.in}.txt; done
	cd requirements/frameworks && for set in [a-z]*.in; do \
	  case " $$(PYTHONPATH=../../tests python3 -m frameworks.about) " in \
	  *" $${set%.in} "*) hashes=--generate-hashes;; *) hashes=;; esac; \
	  $(RESOLVE) $$hashes $$set -o $${set%.in}.txt; done

clean:  ## Remove what make built
	rm -rf .venv .venv-gateway .nox build
