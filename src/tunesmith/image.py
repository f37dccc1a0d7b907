"""The container image that the pipelines' steps run in."""

import os

# Whoever builds the images under another name (manifests/images) sets the variable while compiling a pipeline.
IMAGE = os.environ.get("TUNESMITH_IMAGE") or "localhost/tunesmith-python:0.1.0"
