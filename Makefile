# Two commands: `make lab` opens the course, `make test` checks it. `make` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help lab test unit check-notebooks notebooks tables exercises grade publish benchmark data results lint \
  format lock environment clean

VENV_PYTHON := .venv/bin/python
LESSONS ?= $(wildcard notebooks/[0-9][0-9]_*.ipynb)
# JupyterLab refuses to start as root, which is who one is in most containers, unless told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
REPORT ?= runs/grades
PYTEST := $(VENV_PYTHON) -m pytest
# Tests and stored outputs run at mini scale, whatever the caller's own settings are.
MINI := env -u COURSE_SETTINGS COURSE_SCALE=mini
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=1800
# Two processes use two cores better than one does. A file stays in one of them, because the cells
# of a notebook belong together; the order is kept, for a file of few tests may take the longest.
TWO := --numprocesses=2 --dist=loadfile --no-loadscope-reorder

# A relative data root is meant from here; notebooks run in their own folder.
ifneq ($(COURSE_DATA_ROOT),)
ifeq ($(filter /%,$(firstword $(COURSE_DATA_ROOT))),)
override COURSE_DATA_ROOT := $(CURDIR)/$(COURSE_DATA_ROOT)
endif
export COURSE_DATA_ROOT
endif
# Packages come from .venv alone.
unexport PYTHONPATH PYTHONHOME

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

lab: environment ## Open the course in JupyterLab (LAB_OPTIONS="--no-browser --port=8899")
	@# Without this JupyterLab hides the stored sounds until their cells are run.
	-@.venv/bin/jupyter-trust $(LESSONS) >/dev/null 2>&1
	@# The folder has defaults only: no question about news over the lesson. Own settings win.
	$(VENV_PYTHON) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	  --LabApp.app_settings_dir="$(CURDIR)/tools/lab_settings" $(AS_ROOT) $(LAB_OPTIONS)

# What takes longest comes last, in a run of its own that reads only the files that have some of it.
test: environment lint ## Check everything: lint, import contract, unit tests, all notebooks
	$(MINI) $(PYTEST) $(TWO) $(NBVAL) -m "not long" --ignore-glob='tests/*.ipynb' tests $(or $(LESSONS),notebooks)
	$(MINI) $(PYTEST) $(TWO) -m long $$(grep -rl --include='test_*.py' 'pytest\.mark\.long' tests)

unit: environment ## Run the quick tests (PYTEST_OPTIONS="-k audio")
	$(MINI) $(PYTEST) -m "not slow" tests $(PYTEST_OPTIONS)

check-notebooks: environment ## Run the notebooks through nbval (LESSONS=notebooks/03_...ipynb)
	$(MINI) $(PYTEST) $(NBVAL) $(or $(LESSONS),notebooks)

notebooks: environment ## Run the lessons from a fresh kernel and store their outputs
	$(VENV_PYTHON) tools/run_notebooks.py $(LESSONS)

tables: environment ## Write the tables and pictures of README and INSTRUCTORS
	$(VENV_PYTHON) tools/make_tables.py

exercises: environment ## Write notebooks/exercises from notebooks/solutions
	$(VENV_PYTHON) tools/make_exercises.py

grade: environment ## Grade exercises (SUBMISSIONS="folder more.ipynb" REPORT=folder GRADE_OPTIONS=--jobs=4)
	@test -n "$(SUBMISSIONS)" || { echo "Nothing to grade: name notebooks or folders," \
	  "make grade SUBMISSIONS=folder" >&2; exit 2; }
	$(VENV_PYTHON) -m course_utils.grading grade $(SUBMISSIONS) --report $(REPORT) $(GRADE_OPTIONS)

publish: environment ## Stamp launch badges (REPO=owner/name, PUBLISH_OPTIONS="--branch dev"; REPO=--none)
	$(VENV_PYTHON) tools/publish.py $(REPO) $(PUBLISH_OPTIONS)

benchmark: environment ## Time the hot paths (pytest-benchmark)
	$(PYTEST) --benchmark-only tests/benchmarks

data: environment ## Remake the shipped data sets (needs the Debian packages in .ci/run)
	set -e; for script in data/make_*.py; do $(VENV_PYTHON) "$$script"; done

results: environment ## Remake data/results: what takes longer to train than a lesson may
	$(MINI) $(VENV_PYTHON) tools/make_results.py
	$(MINI) $(VENV_PYTHON) tools/make_librispeech_results.py
	$(MINI) $(VENV_PYTHON) tools/make_genre_results.py

lint: environment ## Check style, names, docstrings and the import contract
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m ruff format --check
	.venv/bin/lint-imports --no-cache

format: environment ## Mend what ruff can mend, notebooks included
	$(VENV_PYTHON) -m ruff check --fix
	$(VENV_PYTHON) -m ruff format

lock: environment ## Renew requirements.lock from pyproject.toml (LOCK_OPTIONS=--upgrade)
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --all-extras \
	  --custom-compile-command "make lock" $(LOCK_OPTIONS) pyproject.toml -o requirements.lock

# The bootstrap parses on any Python and finds the one to build with; its stamp makes a second
# call cheap.
environment: ## Build or repair .venv (all targets above do; PYTHON=/path/to/python3.11)
	@for name in python3 python python3.11 python3.12 python3.13 "$$PYTHON"; do \
	  if "$$name" -c "" >/dev/null 2>&1; then exec "$$name" tools/bootstrap.py; fi; \
	done; \
	echo "Not built: no Python was found: install Python 3.11, 3.12 or 3.13." >&2; exit 1

clean: ## Remove .venv and caches; runs/ and downloaded data stay
	rm -rf .venv bootstrap.log .pytest_cache .ruff_cache .import_linter_cache .benchmarks .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
