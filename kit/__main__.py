"""`python -m kit`: the command line."""

import sys

from kit.cli import main

sys.exit(main())
