# Everything runs from .venv, which set-up makes from requirements.lock; `make` lists the targets.
SHELL := /bin/sh
BIN := .venv/bin
STAMP := .venv/setup.stamp
RUN = PATH="$(CURDIR)/$(BIN):$$PATH"
PYTEST = $(RUN) $(BIN)/pytest
# Each worker may hold a Spark session (2 GB): four at most. A file's tests stay together.
WORKERS = -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
REGO := governance/halocline_governance/policies

.DEFAULT_GOAL := help
.PHONY: help setup setup-system demo test test-system check bench bench-guard bench-journal bench-lineage bench-detect soak clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv: packages, Delta's JARs, OPA (PYTHON=, IVY_SETTINGS= to choose)
	@PYTHON="$(PYTHON)" infra/setup/run $(if $(IVY_SETTINGS),--ivy-settings "$(IVY_SETTINGS)")

$(STAMP): pyproject.toml requirements.lock $(filter-out %/__pycache__,$(wildcard infra/setup/*))
	@$(MAKE) --no-print-directory setup

setup-system: $(STAMP) ## Install what test-system needs (root on Debian or Ubuntu)
	@infra/setup/system install

demo: $(STAMP) ## Raw text to audited answer, end to end (FRESH=1; DATA= SOURCE= LABEL= LICENCE= TEXT=)
	@$(RUN) $(BIN)/halocline demo $(if $(filter-out 0,$(FRESH)),--fresh) \
		$${DATA:+--data "$$DATA"} $${SOURCE:+--source "$$SOURCE"} $${LABEL:+--label "$$LABEL"} \
		$${LICENCE:+--licence "$$LICENCE"} $${TEXT:+--text "$$TEXT"}

test: $(STAMP) ## Every test that needs only what set-up installs (ARGS= for pytest)
	@$(PYTEST) $(WORKERS) -m "not system and not soak" $(ARGS)

test-system: $(STAMP) ## The tests that need root, PostgreSQL, an S3 server, strace, Chromium
	@$(RUN) infra/setup/system check
	@$(PYTEST) -m system $(ARGS)

check: $(STAMP) ## Format, lint, types, import law, policies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	PYRIGHT_PYTHON_CACHE_DIR="$(CURDIR)/.venv/pyright" $(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/opa fmt --list --fail $(REGO)
	$(BIN)/opa check --strict $(REGO)
	@$(RUN) $(BIN)/halocline policy lint
	@$(RUN) $(BIN)/halocline policy test
	@$(RUN) $(BIN)/halocline policy coverage --min 95

bench: $(STAMP) ## Run every <component>/bench/*.py; results in var/bench (NAME= for one)
	@$(RUN) $(BIN)/python infra/bench $(NAME)

bench-guard: $(STAMP) ## The guard's figures: reads, server, decisions, cache, timing (BENCH_ROWS=)
	@$(RUN) $(BIN)/python infra/bench guard guard_server decision cache timing

bench-journal: $(STAMP) ## The journal's figures: appends, verification, proofs (BENCH_RECORDS=)
	@$(RUN) $(BIN)/python infra/bench journal

bench-lineage: $(STAMP) ## Lineage's figures: row to models, output to rows, 10 M outputs (BENCH_SCALE=)
	@$(RUN) $(BIN)/python infra/bench lineage

bench-detect: $(STAMP) ## The detectors' figures beside their peers' (BENCH_DETECT= for a few)
	@$(RUN) $(BIN)/python infra/bench $(or $(BENCH_DETECT),detect_pii detect_names detect_toxicity \
		detect_segregation detect_secrets detect_scrub detect_stream detect_cost)

soak: $(STAMP) ## The same tests at the sizes the benchmarks name
	@HALOCLINE_TEST_SCALE=soak $(PYTEST) -m soak $(ARGS) || \
		{ status=$$?; [ $$status -eq 5 ] && echo "No test has a soak size yet."; }

clean: ## Remove .venv and caches; var/ (all state) stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
