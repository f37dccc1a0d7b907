"""A Kubeflow Pipelines backend as a user's command line needs it, on kfp's own client."""
