"""`python -m app COMMAND`; `python -m app --help` lists the commands."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main())
