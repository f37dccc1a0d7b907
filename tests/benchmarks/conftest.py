"""The benchmarks are commands, not a package: their folder is what their modules are found in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
