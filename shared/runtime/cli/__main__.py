"""`python -m shared.runtime.cli`: starts `tertib` where its script is not installed."""

from shared.runtime.cli.main import main

main()
