"""The packages that scoring takes beyond the kit's own."""

import importlib.util

from kit.errors import KitError

PACKAGES = ("pesq", "pystoi", "scipy")


def require_packages() -> None:
    """Raise KitError naming the packages of the extra `eval` that are not installed."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise KitError(
            f"scoring takes Python packages that are not installed: {', '.join(missing)}",
            hint="install them: pip install -e '.[eval]'",
        )
