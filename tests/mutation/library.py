"""A plugin of pytest: the library of the checkout itself, as it is not the C that is broken."""

import os
from pathlib import Path

from kit import host
from tests.mutation.checkout import LIBRARY_VARIABLE

host.ensure_library = lambda: Path(os.environ[LIBRARY_VARIABLE])
