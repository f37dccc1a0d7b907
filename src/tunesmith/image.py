"""The container images: of the pipelines' steps and the trials, and of the suggestion service."""

import os

from tunesmith import __version__

# Whoever builds the images under another name (manifests/images) sets the variable while compiling a pipeline.
IMAGE = os.environ.get("TUNESMITH_IMAGE") or f"localhost/tunesmith-python:{__version__}"
# Trials that ask for GPUs need CUDA's libraries beside it.
GPU_IMAGE = os.environ.get("TUNESMITH_IMAGE") or f"localhost/tunesmith-python:{__version__}-gpu"
# The manifests name it; manifests/mirror is where another name is given.
SUGGESTION_IMAGE = f"localhost/tunesmith-suggestion:{__version__}"
