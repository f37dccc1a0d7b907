#!/usr/bin/env bash
# Builds Tunesmith's container images with buildah, podman or docker, whichever is there, and tells their sizes; see README.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage="usage: build.sh [cpu] [gpu] [suggestion] [--base IMAGE] [--prefix PREFIX] [--output DIRECTORY]
Without a name, cpu and suggestion are built. --base: the image they stand on, with Python 3.11 and its venv module.
--prefix: what comes before the images' names, localhost unless told otherwise. --output: where to write them as docker archives, too."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
base=docker.io/library/python:3.11-slim-bookworm
prefix=localhost
output=
targets=()

fail() {
    echo "error: $*" >&2
    exit 2
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        cpu | gpu | suggestion) targets+=("$1") ;;
        --base | --prefix | --output)
            [ -n "${2:-}" ] || fail "$1 wants a value"
            declare -g "${1#--}=$2"
            shift
            ;;
        -h | --help)
            echo "$usage"
            exit
            ;;
        *) fail "$1 is neither an image (cpu, gpu, suggestion) nor an option (--base, --prefix, --output)" ;;
        esac
        shift
    done
    [ ${#targets[@]} -gt 0 ] || targets=(cpu suggestion)
}

find_engine() {
    for engine in buildah podman docker; do
        command -v "$engine" >/dev/null && return
    done
    fail "none of buildah, podman and docker is here; on Debian: apt-get install buildah"
}

name_of() {
    case $1 in
    cpu) echo "$prefix/tunesmith-python:$version" ;;
    gpu) echo "$prefix/tunesmith-python:$version-gpu" ;;
    suggestion) echo "$prefix/tunesmith-suggestion:$version" ;;
    esac
}

# docker builds without keeping the base where its size could be read.
fetch_base() {
    [ "$engine" = docker ] || return 0
    docker image inspect "$base" >/dev/null 2>&1 || docker pull --quiet "$base" >/dev/null || fail "docker cannot fetch $base"
}

# pip's settings on this machine, such as an index of one's own, as a configuration file in which the environment wins. Paths stay here.
pip_settings() {
    echo "[global]"
    local python
    for python in python3 .venv/bin/python; do
        "$python" -m pip --version >/dev/null 2>&1 || continue
        "$python" -m pip config list | LC_ALL=C sort |
            sed -nE "s/^(:env:|global|install|site|user)\.([a-z-]+)='(.*)'\$/\2=\3/p" |
            awk -F= '$1 != "cert" && !($1 == "find-links" && $2 ~ "^/") && !seen[$1]++'
        return
    done
}

# Secrets of the build are seen while it installs and are part of no layer.
make_secrets() {
    secrets=$(mktemp -d)
    trap 'rm -rf "$secrets"' EXIT
    pip_settings >"$secrets/pip"
    local certificates=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
    if [ -r "$certificates" ]; then cat "$certificates"; fi >"$secrets/certificates"
}

build() {
    local target=$1 name flags
    name=$(name_of "$target")
    # Built on the machine's own network, so that an index or a proxy that only this machine reaches is reached.
    flags=(--network host --target "$target" --tag "$name" --build-arg "BASE=$base" --file manifests/images/Containerfile)
    flags+=(--secret "id=pip,src=$secrets/pip" --secret "id=certificates,src=$secrets/certificates")
    flags+=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision")
    # docker finds the list of what to leave out by the Containerfile's name.
    [ "$engine" = docker ] || flags+=(--layers --ignorefile manifests/images/Containerfile.dockerignore)
    echo "building $name"
    DOCKER_BUILDKIT=1 "$engine" build "${flags[@]}" . >"$secrets/log" 2>&1 || {
        cat "$secrets/log" >&2
        fail "$engine could not build $name; see above"
    }
}

write_archive() {
    local name file
    name=$(name_of "$1")
    file=$output/$(basename "${name%:*}").tar
    [ "$1" != gpu ] || file=${file%.tar}-gpu.tar
    rm -f "$file.new"
    case $engine in
    docker) docker save --output "$file.new" "$name" ;;
    *) "$engine" push --quiet "$name" "docker-archive:$file.new:$name" ;;
    esac
    mv "$file.new" "$file"
    echo "wrote $file"
}

# buildah tells sizes in words, such as 1.88 GB.
megabytes() {
    case $engine in
    buildah) buildah images --format '{{.Size}}' "$1" | awk 'NR == 1 { print int($1 * ($2 == "GB" ? 1000 : $2 == "MB")) }' ;;
    *) "$engine" image inspect --format '{{.Size}}' "$1" | awk '{ print int($1 / 1e6) }' ;;
    esac
}

read_arguments "$@"
find_engine
fetch_base
make_secrets
revision=$(git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null || echo unknown)
for target in "${targets[@]}"; do
    build "$target"
done
if [ -n "$output" ]; then
    mkdir -p "$output"
    for target in "${targets[@]}"; do
        write_archive "$target"
    done
fi
below=$(megabytes "$base")
printf '%-48s %9s %12s\n' image 'total MB' 'above base'
for target in "${targets[@]}"; do
    total=$(megabytes "$(name_of "$target")")
    printf '%-48s %9d %12d\n' "$(name_of "$target")" "$total" $((total - below))
done
