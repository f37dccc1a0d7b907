#!/usr/bin/env bash
# Resolves pyproject.toml's dependencies into the lock files beside this script; `make lock` calls it with uv's path.
# run.txt: all that Tunesmith uses. dev.txt: the same and the tools of `make test`. bench.txt: run.txt and the benchmarks' peers.
# Versions stay as they are where pyproject.toml allows; further arguments go to uv, such as --upgrade or --upgrade-package NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
shift

resolve() {
    local name=$1
    shift
    "$uv" pip compile pyproject.toml --quiet --output-file "requirements/$name.txt" \
        --python-version 3.11 --generate-hashes --no-header --annotation-style line \
        --no-emit-index-url --no-emit-find-links --no-emit-build-options "$@"
}

resolve dev --extra all --extra dev "$@"
# Held to dev.txt's versions, so that `make test` after `make run` only adds packages.
resolve run --extra all --constraints requirements/dev.txt
resolve bench --extra all --extra bench --constraints requirements/dev.txt
