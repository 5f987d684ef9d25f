"""`python -m halocline_infra` is the command `halocline`."""

from halocline_infra.cli import main

main()
