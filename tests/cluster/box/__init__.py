"""A Kubernetes with Katib on one machine, built from package registries alone: `python -m tests.cluster.box up`."""
