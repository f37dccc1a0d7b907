"""Lets `python -m tunesmith` be the command line."""

from tunesmith.cli import main

main()
