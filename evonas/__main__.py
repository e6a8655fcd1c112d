"""``python -m evonas``: the command line."""

from evonas.cli.main import main

main()
