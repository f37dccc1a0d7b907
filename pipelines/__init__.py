"""The pipelines, one file each; a pipeline's function has its file's name."""
