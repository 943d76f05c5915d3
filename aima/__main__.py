"""``python -m aima`` is the command ``aima``."""

from aima.gateway.cli.main import main

main()
