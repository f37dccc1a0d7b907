#!/bin/sh
# Makes the environment /opt/tunesmith of the hashed lock $1, inside a build; what installs it is gone when it ends.
set -eu
python=$(command -v python3)
. "$(dirname "$0")/tools.sh"
"$python" -m venv --without-pip /opt/tunesmith

# Wheels first: what comes as sources is built with the locked setuptools, not with one that pip would fetch unchecked.
wheels=$(mktemp -d)
/build/bin/pip wheel --quiet --no-deps --no-build-isolation --require-hashes --requirement "$1" --wheel-dir "$wheels"
/build/bin/pip --python /opt/tunesmith/bin/python install --quiet --no-deps --no-index "$wheels"/*.whl
rm -rf "$wheels" /build

# Headers for compiling TensorFlow's custom operations, a C++ parser that only its build uses, and packages' own tests.
packages=$(/opt/tunesmith/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$packages/tensorflow/include" "$packages/clang" "$packages/tests"
for package in numpy scipy sklearn; do
    if [ -d "$packages/$package" ]; then
        find "$packages/$package" -name tests -type d -prune -exec rm -rf {} +
    fi
done

# The base's own means to install.
library=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
if "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m pip uninstall --quiet --yes setuptools wheel pip
fi
rm -rf "$library/ensurepip" /usr/share/python-wheels
