#!/bin/sh
# Makes /build, an environment with pip and the setuptools of the lock beside this script, inside a build.
set -eu

# A proxy that signs with its own certificate is trusted by the builder's machine, not by the base image.
if [ -s /run/secrets/certificates ]; then
    export PIP_CERT=/run/secrets/certificates
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1 PIP_BREAK_SYSTEM_PACKAGES=1

python3 -m venv /build
/build/bin/pip install --quiet --only-binary :all: --require-hashes --requirement "$(dirname "$0")/build.txt"
