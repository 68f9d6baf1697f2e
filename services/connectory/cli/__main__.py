"""`python -m connectory.cli` is `connectory`."""

from connectory.cli import main

main()
