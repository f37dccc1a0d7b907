"""Imported before NumPy is, by a benchmark's command: limits NumPy's libraries to one thread, here and in processes to come."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
