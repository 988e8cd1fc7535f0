"""`python3 -m mtasts`: the command, also where no script of that name was installed."""

from mtasts.cli import main

main()
