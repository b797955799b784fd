# make        set up .venv, then the whole study at the scale of config.yaml: results/table.csv
# make report the page that tells it all, results/report.html, which make has made already unless something changed
# make plan   what that run would do and cost, in hours, memory and room on the disk; it starts nothing (docs/costs.md)
# make test   set up .venv, then the checks and every test
# make check  the checks alone: lint, layout, direction of imports, types
# make format correct what ruff and snakefmt can correct by themselves
# make accept keep the results after a change of code that cannot change them (docs/reruns.md)
# make explain ARGS="voice-0.25 percussion"   what made a cell of results/table.csv (docs/provenance.md)
# make docs   write what is generated from the settings, the catalogue and the contract of reruns
# make bench  speed, as ratios of one run (docs/benchmarks.md)
# make lock   renew the locks and what is generated from them
# make clean  delete what runs made; make distclean deletes downloads and .venv too

PYTHON ?= python3
# What a user's settings of pip or an activated environment would install elsewhere belongs into .venv.
PIP := env -u PYTHONHOME -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PIP_CONSTRAINT PIP_USER=0 PIP_DRY_RUN=0 \
	.venv/bin/python -m pip --disable-pip-version-check
CORES ?= all
ARGS ?=
WORKERS ?= 2

# Snakemake needs a folder for its cache, and stops without one.
CACHE := $${XDG_CACHE_HOME:-$$HOME/.cache}
ifneq ($(shell mkdir -p "$(CACHE)" 2>/dev/null && test -w "$(CACHE)" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
export PIP_NO_CACHE_DIR := 1
endif

.DEFAULT_GOAL := results/table.csv
.PHONY: results/table.csv report plan setup check test accept explain bench lock docs format clean distclean

results/table.csv: setup
	@.venv/bin/python -m doppelgangers.workflow.unlock
	.venv/bin/snakemake --cores $(CORES) all $@ $(ARGS)

report: setup
	@.venv/bin/python -m doppelgangers.workflow.unlock
	.venv/bin/snakemake --cores $(CORES) $(ARGS) -- results/report.html
	@echo "Open $(CURDIR)/results/report.html in a browser."

plan: setup
	@.venv/bin/python -m doppelgangers.workflow.forecast --cores $(CORES) all results/table.csv $(ARGS)

setup: .venv/installed

# The lock is complete and has the hash of every file, so pip resolves nothing and installs nothing else. Where there is an
# NVIDIA driver, JAX gets its CUDA plug-in.
.venv/installed: requirements.lock requirements-cuda.lock
	@case "$$(pwd -P)" in *[[:space:]\'\"\&\(\)\$$\;\\\*\?\|\<\>\`:]*) \
		printf 'ERROR: the path %s has a space, a quote or another character (one of & ( ) $$ ; \\ * ? | < > ` :) that jobs of\nSnakemake cannot take. Nothing was installed: move this folder to a path without it, and run make there.\n' "$$(pwd -P)" >&2; \
		exit 1;; esac
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13) and "Python 3.11 or 3.12 is needed: make PYTHON=...")'
	env -u PYTHONHOME $(PYTHON) -m venv .venv
	$(PIP) install --quiet --require-hashes --no-deps -r requirements.lock
	if nvidia-smi >/dev/null 2>&1; then $(PIP) install --quiet --require-hashes --no-deps -r requirements-cuda.lock; fi
	touch $@

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile rules
	.venv/bin/lint-imports
	.venv/bin/mypy

test: check
	.venv/bin/python -m pytest --numprocesses $(WORKERS) --dist worksteal --cov $(ARGS)

accept: setup
	.venv/bin/python -m doppelgangers.workflow.accept $(ARGS)

explain: setup
	@.venv/bin/python -m doppelgangers.workflow.explain $(ARGS)

bench: setup
	.venv/bin/python -m tests.benchmarks $(ARGS)

docs: setup
	.venv/bin/python -m doppelgangers.workflow.config_docs
	.venv/bin/python -m tests.workflow.reruns_page

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/snakefmt Snakefile rules

UV := .venv/bin/uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --quiet --upgrade
lock: setup
	$(PIP) install --quiet uv
	$(UV) --group dev --output-file requirements.lock
	$(UV) --extra cuda --constraint requirements.lock --output-file requirements-cuda.lock
	.venv/bin/python envs/write_environment.py

clean:
	rm -rf results logs .snakemake

distclean: clean
	rm -rf resources .venv
