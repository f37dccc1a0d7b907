# Everything a person does with a checkout; `make` alone lists it. ARGS= is handed on, as in `make test ARGS="-k tpe"`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
UV_VERSION := 0.13.9
# Where the cluster of `make cluster` keeps programs, images and state.
CLUSTER := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/tunesmith/cluster
ARGS ?=
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip --quiet install

.PHONY: help run run-nas test lint format types contracts pytest generate lock bench-local bench-engine bench-digits \
	bench-quality bench-fronts bench-nas bench-progressive bench-equal-time bench-warm-start bench-fidelity bench-epochs images cluster cluster-down test-cluster bench-advice bench-katib bench-suggestion clean

help:  ## List the targets
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "make %-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMPS)/project  ## Run the pipeline `tune` on this machine, without a cluster
	$(BIN)/tunesmith pipeline run tune $(ARGS)

# Accurate networks, and of these a small and quick one; four of the trials tell how far the comparison is to be believed.
NAS := --set fidelity_trials=4 --set 'constraints=["val_accuracy >= 0.9"]' --set 'objectives=[ \
	{"metric": "val_accuracy", "goal": "maximize"}, {"metric": "latency_onnx_ms", "goal": "minimize"}, \
	{"metric": "parameters", "goal": "minimize"}]'

run-nas: $(STAMPS)/project  ## Run the pipeline `design` on this machine: it finds an accurate, quick network, and trains it
	$(BIN)/tunesmith pipeline run design $(NAS) $(ARGS)

test: lint types contracts pytest  ## Check style, types, import contracts, then run all tests

lint: $(STAMPS)/dev  ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMPS)/dev  ## Rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMPS)/dev  ## Check types
	$(BIN)/basedpyright --level error

contracts: $(STAMPS)/dev  ## Check who may import whom
	$(BIN)/lint-imports --no-logo

pytest: $(STAMPS)/dev  ## Run the tests alone
	$(BIN)/pytest -m "not cluster" $(ARGS)

generate: $(STAMPS)/dev  ## Rewrite what is made from the sources: READMEs, compiled pipelines, gRPC code, manifests
	$(BIN)/python -m tunesmith.components.generate
	TUNESMITH_GOLDEN=write $(BIN)/pytest --quiet tests/pipelines/test_golden.py
	$(BIN)/python -m tunesmith.katib.generate
	$(BIN)/python -m tunesmith.katib.config entries > manifests/base/cluster/algorithms.yaml
	TUNESMITH_GOLDEN=write $(BIN)/pytest --quiet tests/manifests/test_golden.py

lock: $(STAMPS)/uv  ## Resolve the dependencies anew into requirements/*.txt
	requirements/lock.sh $(VENV)-lock/bin/uv $(ARGS)

bench-local: $(STAMPS)/bench  ## Compare the speed of a search with Keras-Tuner's
	$(BIN)/python benchmarks/local_speed.py $(ARGS)

bench-engine: $(STAMPS)/project  ## Measure the engine's overhead, resuming, memory and start-up
	$(BIN)/python benchmarks/engine_overhead.py $(ARGS)

bench-digits: $(STAMPS)/project  ## Compare test accuracy on digits with a support vector machine's
	$(BIN)/python benchmarks/digits_accuracy.py $(ARGS)

bench-quality: $(STAMPS)/bench  ## Compare what the strategies find, and their speed, with other libraries'; ARGS=--help
	$(BIN)/python benchmarks/search_quality.py $(ARGS)

bench-fronts: $(STAMPS)/bench  ## Compare how much of a Pareto front the strategies find with Optuna's samplers; ARGS="--data DIR"
	$(BIN)/python benchmarks/front_quality.py $(ARGS)

bench-nas: $(STAMPS)/bench  ## Compare what the strategies find of NAS-Bench-201's cells with other libraries'; ARGS="--data DIR"
	$(BIN)/python benchmarks/nas_tables.py $(ARGS)

bench-progressive: $(STAMPS)/bench  ## Compare how many models progressive search needs with random search; ARGS="--data DIR"
	$(BIN)/python benchmarks/progressive.py $(ARGS)

bench-equal-time: $(STAMPS)/bench  ## Compare test accuracy after equal minutes of training with Keras-Tuner's; ARGS="--data DIR"
	$(BIN)/python benchmarks/equal_time.py $(ARGS)

bench-warm-start: $(STAMPS)/bench  ## Measure what an earlier study is worth, and what a useless one costs; ARGS="--data DIR"
	$(BIN)/python benchmarks/warm_start.py $(ARGS)

bench-fidelity: $(STAMPS)/bench  ## Compare what stopping trials early gains with Optuna's pruners; ARGS="--data DIR"
	$(BIN)/python benchmarks/fidelity.py $(ARGS)

bench-epochs: $(STAMPS)/project  ## Measure the epochs that stopping trials saves, and what it costs; ARGS="--data DIR"
	$(BIN)/python benchmarks/epochs_saved.py $(ARGS)

images:  ## Build the container images with buildah, podman or docker
	manifests/images/build.sh $(ARGS)

cluster: $(STAMPS)/dev  ## Start a Kubernetes with Katib and four simulated GPUs on this machine (root); the first start builds it
	$(BIN)/python -m tests.cluster.box base
	manifests/images/build.sh cpu suggestion --base localhost/debian-python:bookworm --output $(CLUSTER)/images
	$(BIN)/python -m tests.cluster.box up $(ARGS)

cluster-down: $(STAMPS)/dev  ## Stop that Kubernetes and leave the machine as it was; ARGS=--keep keeps its state
	$(BIN)/python -m tests.cluster.box down $(ARGS)

test-cluster: $(STAMPS)/dev  ## Run the tests that need a cluster: the one of KUBECONFIG, else that of `make cluster`
	$(BIN)/pytest -m cluster tests/cluster $(ARGS)

bench-advice: $(STAMPS)/project  ## Measure what the advice after a search is worth
	$(BIN)/python benchmarks/advice.py $(ARGS)

bench-katib: $(STAMPS)/dev  ## Compare a search on Katib with Katib's own random algorithm, on a cluster
	$(BIN)/python benchmarks/katib_speed.py $(ARGS)

bench-suggestion: $(STAMPS)/dev  ## Measure the suggestion service with thousands of past trials
	$(BIN)/python benchmarks/suggestion_speed.py $(ARGS)

clean:  ## Delete the environment and all that was made from the sources; runs/ stays
	rm -rf $(VENV) $(VENV)-lock build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis .grimp_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is younger than the lock file that was installed: a second `make run` starts at once, a changed lock is installed.
$(STAMPS)/made:
	@requirements/environment.sh $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/run: requirements/run.txt | $(STAMPS)/made
	@echo "installing Tunesmith's dependencies into $(VENV), once; this takes a minute or two"
	@$(PIP) --require-hashes -r $<
	@touch $@

$(STAMPS)/project: pyproject.toml setup.py $(STAMPS)/run
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/project
	@$(PIP) --require-hashes -r $<
	@touch $@

$(STAMPS)/bench: requirements/bench.txt $(STAMPS)/project
	@$(PIP) --require-hashes -r $<
	@touch $@

$(STAMPS)/uv: Makefile | $(STAMPS)/made
	@$(BIN)/python -m venv --clear $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip --quiet install uv==$(UV_VERSION)
	@touch $@
