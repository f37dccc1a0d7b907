"""The one entry point: `python -m tests.cluster.box up|down|status|load|base`."""

import argparse
import sys
from pathlib import Path

from tests.cluster.box import cluster
from tests.cluster.box.errors import BoxError


def main(words: list[str] | None = None) -> int:
    """Do what the words say; returns 0, 1 where `status` finds something missing, 2 after what the user can put right."""
    asked = _parser().parse_args(words)
    try:
        return _do(asked)
    except BoxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _do(asked: argparse.Namespace) -> int:
    match asked.command:
        case "up":
            cluster.up()
        case "down":
            cluster.down(keep_state=asked.keep)
        case "load":
            cluster.load(asked.archives)
        case "base":
            cluster.base()
        case "status":
            return 0 if cluster.status() else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.box", description="A Kubernetes with Katib on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start it, building what is missing")
    down = commands.add_parser("down", help="stop it and leave the machine as it was")
    down.add_argument("--keep", action="store_true", help="keep its state for a fast start")
    commands.add_parser("status", help="tell what runs; exit code 1 where something does not")
    load = commands.add_parser("load", help="import image archives")
    load.add_argument("archives", nargs="+", type=Path, metavar="FILE.tar")
    commands.add_parser("base", help="make the base image alone, and print its name")
    return parser


if __name__ == "__main__":
    sys.exit(main())
