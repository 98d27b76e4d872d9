# `make lab` and `make test` do everything they need themselves.

PYTHON = python3
COURSE = .venv/bin/course
VENV_PYTHON = .venv/bin/python

.PHONY: help lab test test-full setup notebooks lint bench grade-report records lock

help:
	@echo "make lab             set up what is missing, then open the lessons in JupyterLab"
	@echo "                     on a machine without a screen: make lab ARGS=--no-browser"
	@echo "make test            set up what is missing, then run every test"
	@echo "make setup           only set up; another Python: make setup PYTHON=python3.12"
	@echo "For authors:"
	@echo "make notebooks       build notebooks/ from notebooks/source/; some only: make notebooks ARGS=05"
	@echo "make lint            read the code: ruff, and no file over 300 lines"
	@echo "make bench           the course beside a textbook loop and fastai, on real photographs: hours"
	@echo "make grade-report    how well exercises tell right from wrong: mutants of their solutions, minutes"
	@echo "make records         the experiments behind the lessons, run again: hours; some only: make records ARGS=mistakes"
	@echo "make lock            renew requirements.lock from pyproject.toml; to upgrade: make lock ARGS=--upgrade"
	@echo "make test-full       every test, the long ones too, and record the result"

lab: setup
	@$(COURSE) lab $(ARGS)

test: setup
	@$(VENV_PYTHON) -m tools.run_tests

test-full: setup
	@$(VENV_PYTHON) -m tools.run_tests --full

# A Python named on the command line is meant; python3 is only where to look first.
setup:
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON) here. The course needs Python 3.11 or newer; if there is one under another name: make lab PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) tools/setup.py $(if $(filter command,$(firstword $(origin PYTHON))),--this-python)

notebooks: setup
	@$(VENV_PYTHON) -m tools.build_notebooks $(ARGS)

lint: setup
	@.venv/bin/ruff check .
	@$(VENV_PYTHON) tools/file_lengths.py

bench: setup
	@$(VENV_PYTHON) -m tests.benchmarks.extraction
	@$(VENV_PYTHON) -m tests.benchmarks.audit
	@$(VENV_PYTHON) -m tests.benchmarks.answers
	@$(VENV_PYTHON) -m tests.benchmarks.study
	@$(VENV_PYTHON) -m tests.benchmarks.peers $(ARGS)

grade-report: setup
	@$(VENV_PYTHON) -m tools.records.grade_report $(ARGS)

records: setup
	@$(VENV_PYTHON) -m tools.run_records $(ARGS)

lock: setup
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--extra test --extra setup $(ARGS) pyproject.toml -o requirements.lock
