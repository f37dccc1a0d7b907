#!/usr/bin/env bash
# Resolves pyproject.toml's dependencies into the lock files beside this script; `make lock` calls it with uv's path.
# run.txt: all that Tunesmith uses. dev.txt: the same and the tools of `make test`. bench.txt: run.txt and the benchmarks' peers.
# gpu.txt: run.txt with TensorFlow for GPUs. suggestion.txt: what the suggestion service uses. build.txt: what the wheel is built with.
# Versions stay as they are where pyproject.toml allows; further arguments go to uv, such as --upgrade or --upgrade-package NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
shift

resolve() {
    local name=$1 source=$2
    shift 2
    "$uv" pip compile "$source" --quiet --output-file "requirements/$name.txt" \
        --python-version 3.11 --generate-hashes --no-header --annotation-style line \
        --no-emit-index-url --no-emit-find-links --no-emit-build-options "$@"
}

resolve dev pyproject.toml --extra all --extra dev "$@"
# Held to dev.txt's versions, so that `make test` after `make run` only adds packages, and the images hold what was tested.
resolve run pyproject.toml --extra all --constraints requirements/dev.txt "$@"
resolve bench pyproject.toml --extra all --extra bench --constraints requirements/dev.txt "$@"
resolve gpu pyproject.toml --extra train-gpu --extra onnx --extra kubeflow --extra katib --extra advice --constraints requirements/dev.txt "$@"
resolve suggestion pyproject.toml --extra suggestion --constraints requirements/dev.txt "$@"
sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml | resolve build - --constraints requirements/dev.txt "$@"
