# stepnb: `make lab` to use it, `make check test` before a commit, `make help` for the rest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What has been done is remembered by a stamp each, so that it is done again only when its input has changed.
DONE := .make

BUNDLE := stepnb/widgets/static/panel.js
JS_SOURCES := js/build.mjs js/tsconfig.json $(shell find js/src -type f)
# Left out when there is no notebook yet: pytest refuses a path that does not exist.
NOTEBOOKS := $(wildcard notebooks)
# Whose examples are run.
PAGES := $(filter-out CHANGELOG.md,$(wildcard *.md)) docs
# Those that are programs, and those that need the fixtures of the browser tests.
BENCHES := $(basename $(notdir $(shell grep -l __main__ tests/bench/*.py)))
BROWSER_BENCHES := $(filter-out %/__init__.py %/conftest.py,$(shell grep -L __main__ tests/bench/*.py))
# The tests must never meet the real service, whatever is in the environment.
WITHOUT_KEY := env --unset=STEPFUN_API_KEY --unset=STEP_API_KEY STEPNB_CLUSTER=local
# uv takes a third of pip's time, but does not read pip's settings: many people have set a mirror near them there.
UV_INSTALL = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX-$${PIP_INDEX_URL-$$($(BIN)/python -m pip config get global.index-url 2> /dev/null || true)}}" \
  $(BIN)/uv pip install --quiet --python $(BIN)/python
# What the benchmark compares with has an environment of its own: nothing here depends on it.
BENCH := .venv-bench

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: lab
lab: $(DONE)/package ## Open JupyterLab on copies of the tutorials, in stepnb-tutorials
	$(BIN)/stepnb lab

.PHONY: setup
setup: $(DONE)/package ## Set up Python, the page's bundle and the package in .venv

.PHONY: test
test: $(DONE)/package $(DONE)/browser ## Run all tests
	@# The browser comes last and has the cores to itself: its sound would stutter. The rest shares them, longest first.
	@failed=''; \
	$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target \
	  test-engine test-unit test-pages test-js || failed=yes; \
	$(MAKE) --no-print-directory test-browser || failed=yes; \
	[ -z "$$failed" ]

.PHONY: test-engine test-unit test-pages test-js test-browser
test-engine test-unit: test-%: $(DONE)/package
	$(WITHOUT_KEY) $(BIN)/pytest tests/$*

test-pages: $(DONE)/package
	$(WITHOUT_KEY) $(BIN)/pytest --nbval $(PAGES) $(NOTEBOOKS)

test-js: $(DONE)/node_modules
	npm --prefix js test

test-browser: $(DONE)/package $(DONE)/browser
	$(WITHOUT_KEY) $(BIN)/pytest tests/browser

.PHONY: bench
bench: $(DONE)/package $(DONE)/browser ## Measure what an event costs, memory, ears, load and latency (minutes)
	@missed=''; for name in $(BENCHES); do \
	  printf '\n== %s\n' "$$name"; \
	  $(WITHOUT_KEY) $(BIN)/python -m "tests.bench.$$name" || missed+=" $$name"; \
	done; \
	printf '\n== in the browser\n'; \
	$(MAKE) --no-print-directory bench-browser || missed+=' browser'; \
	if [ "$$missed" ]; then echo "Goals missed or not measured:$$missed" >&2; exit 1; fi

.PHONY: bench-browser
bench-browser: $(DONE)/package $(DONE)/browser ## Measure the panel in JupyterLab: microphone, loudspeaker, rest, growth
	$(WITHOUT_KEY) $(BIN)/pytest --quiet $(BROWSER_BENCHES)

.PHONY: pictures
pictures: $(DONE)/package $(DONE)/browser ## Take the pictures of the documentation anew
	rm -f test-output/docs-*.png
	$(WITHOUT_KEY) $(BIN)/pytest tests/browser/test_pictures.py tests/browser/test_doctor.py
	mkdir -p docs/images
	for picture in test-output/docs-*.png; do cp "$$picture" "docs/images/$${picture#test-output/docs-}"; done

.PHONY: tutorials
tutorials: $(DONE)/package $(DONE)/browser ## Run the tutorials in JupyterLab and store their outputs anew
	rm -rf test-output/notebooks
	$(WITHOUT_KEY) $(BIN)/pytest tests/browser/test_notebooks.py
	$(BIN)/python -m scripts.tutorials

.PHONY: bench-plots
bench-plots: $(BENCH)/installed ## Measure how fast pictures are, beside matplotlib and librosa
	$(BENCH)/bin/python -m tests.bench.plots

.PHONY: docs
docs: $(DONE)/package ## Build the documentation in build/docs
	# What failed is read again next time: a warning is given only while a page is read.
	$(BIN)/sphinx-build --quiet --jobs auto --fail-on-warning --keep-going -c docs -d build/doctrees . build/docs || \
	  { rm -rf build/doctrees; exit 1; }
	@echo 'Open build/docs/index.html'

.PHONY: check
check: $(DONE)/package check-locks docs ## Lint, format and types, for Python and TypeScript, and the documentation
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy stepnb
	npm --prefix js run check

.PHONY: check-locks
check-locks:
	@if grep -nE 'https?://' requirements/dev.txt requirements/bench.txt || grep -n '"resolved"' js/package-lock.json; then \
	  echo 'A lock file names a download address; make it again with `make lock`.' >&2; exit 1; fi

.PHONY: format
format: $(DONE)/python $(DONE)/node_modules ## Format all code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	npm --prefix js run format

.PHONY: lock
lock: $(DONE)/python ## Lock the newest versions of all dependencies
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	  --extra local --extra lab --extra data --extra analysis --extra experiments --extra dask \
	  --extra device --extra dev --output-file requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml requirements/bench.in --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	  --extra analysis --output-file requirements/bench.txt
	cd js && npm update --package-lock-only

.PHONY: browser
browser: $(DONE)/browser ## Install Chromium, and as root Firefox, a sound server and a speaker, for the tests

.PHONY: clean
clean: ## Delete everything that was made
	rm -rf $(VENV) $(BENCH) $(DONE) js/node_modules stepnb/widgets/static build dist test-output
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find stepnb tests -name __pycache__ -prune -exec rm -rf {} +

$(DONE):
	mkdir -p $@

$(DONE)/python: requirements/dev.txt scripts/need_python.sh | $(DONE)
	@bash scripts/need_python.sh '$(PYTHON)'
	'$(PYTHON)' -m venv --clear $(VENV)
	awk '/^[a-z]/ { uv = /^uv==/ } uv' requirements/dev.txt > $(DONE)/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(DONE)/uv.txt
	$(UV_INSTALL) --require-hashes --requirement requirements/dev.txt
	touch $@

$(DONE)/node_modules: js/package.json js/package-lock.json scripts/need_node.sh | $(DONE)
	@bash scripts/need_node.sh
	npm --prefix js ci --no-audit --no-fund
	touch $@

$(BUNDLE): $(JS_SOURCES) $(DONE)/node_modules
	npm --prefix js run build

$(DONE)/package: pyproject.toml $(BUNDLE) $(DONE)/python
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(UV_INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

$(BENCH)/installed: requirements/bench.txt
	'$(PYTHON)' -m venv --clear $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --require-hashes --requirement requirements/bench.txt
	touch $@

$(DONE)/browser: scripts/install_browser.sh $(DONE)/python
	bash scripts/install_browser.sh $(BIN)
	touch $@
