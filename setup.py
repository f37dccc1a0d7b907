"""Finds the packages: those of src, and the folders components and pipelines, which are importable below `tunesmith`."""

from setuptools import find_packages, setup

MAPPED = ("components", "pipelines")

setup(packages=find_packages("src") + [f"tunesmith.{name}" for name in find_packages(".") if name.split(".")[0] in MAPPED])
