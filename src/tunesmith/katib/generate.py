"""Rewrites the code generated from api.proto: `python -m tunesmith.katib.generate`."""

from pathlib import Path

SOURCE = "tunesmith/katib/api.proto"


def generate(folder: Path) -> None:
    """Write `tunesmith/katib/api_pb2.py`, `api_pb2.pyi` and `api_pb2_grpc.py` below `folder`; raises RuntimeError."""
    from grpc_tools import protoc

    root = Path(__file__).parents[2]
    outputs = [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", f"-I{root}", *outputs, SOURCE]) != 0:
        raise RuntimeError(f"{SOURCE} cannot be compiled")


if __name__ == "__main__":
    generate(Path(__file__).parents[2])
