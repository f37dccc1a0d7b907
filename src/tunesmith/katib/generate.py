"""Rewrites the code generated from api.proto: `python -m tunesmith.katib.generate`."""

import subprocess
import sys
from pathlib import Path

SOURCE = "tunesmith/katib/api.proto"


def generate(folder: Path) -> None:
    """Write `tunesmith/katib/api_pb2.py`, `api_pb2.pyi` and `api_pb2_grpc.py` below `folder`; raises CalledProcessError.

    The compiler runs in a process of its own: its protobuf and TensorFlow's crash each other in one.
    """
    root = Path(__file__).parents[2]
    outputs = [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", *outputs, SOURCE], check=True)


if __name__ == "__main__":
    generate(Path(__file__).parents[2])
