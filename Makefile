# make demo   train, evaluate and draw MobileNeXt-SSDLite on the embedded data set
# make test   style, types, arrows between packages, and tests
# make faults kills, full disks, damaged files: an hour, and its figures in docs/reliability.md
# make docs   the documentation as a site, in site/
# Each sets up .venv first and skips what is there; PYTHON=... chooses the interpreter (3.11 or 3.12).
.PHONY: demo test faults docs lint setup clean

VENV := .venv
BIN := $(VENV)/bin
SETUP := setup.py pyproject.toml tools/build_mmcv.py $(wildcard requirements/*.txt)

demo: setup
	@$(BIN)/python tools/demo.py

# One thread per worker, and every file in one worker, which makes once what its tests share; the last line is pytest's
# own, with its counts.
test: lint
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

faults: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.campaign

# Strict: stops at a dead link.
docs: setup
	@$(BIN)/mkdocs build --quiet
	@echo 'Built: site/index.html; its search needs a server: $(BIN)/python -m http.server -d site'

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

setup: $(VENV)/.installed

$(VENV)/.installed: $(BIN)/uv $(SETUP)
	@echo 'Installing the pinned MMDetection stack into $(VENV)'
	@$(BIN)/uv pip install --python $(BIN)/python $(foreach name,stack build runtime deploy tests docs,-r requirements/$(name).txt)
	@$(BIN)/python tools/build_mmcv.py
	@$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/uv pip check --python $(BIN)/python
	@touch $@

# A name in PATH may be a version manager's shim that does not run, so each is tried.
USABLE := import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
NO_PYTHON := Python 3.11 or 3.12 with venv was not found: install one (Debian: apt-get install python3-venv python3-dev), \
or name one with "make PYTHON=/path/to/python3.11".

$(BIN)/uv:
	@for python in $(or $(PYTHON),python3.11 python3.12 python3); do \
	  if "$$python" -c '$(USABLE)' 2>/dev/null; then \
	    echo "Making $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; exit; \
	  fi; \
	done; echo '$(NO_PYTHON)' >&2; exit 1

clean:
	rm -rf $(VENV) build dist site *.egg-info mobilenext_det/.mim .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
