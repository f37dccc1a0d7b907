"""The container image that the pipelines' steps run in."""

import os

from tunesmith import __version__

# Whoever builds the images under another name (manifests/images) sets the variable while compiling a pipeline.
IMAGE = os.environ.get("TUNESMITH_IMAGE") or f"localhost/tunesmith-python:{__version__}"
