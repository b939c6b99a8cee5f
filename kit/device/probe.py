"""Debug probes, through pyOCD where it is installed."""

import importlib.util
import logging

from kit.device.found import Found
from kit.errors import DeviceError


def pyocd_is_installed() -> bool:
    """Whether probes can be looked for."""
    return importlib.util.find_spec("pyocd") is not None


def probes() -> list[Found]:
    """Debug probes that pyOCD sees; none where it is not installed."""
    if not pyocd_is_installed():
        return []
    from pyocd.core.helpers import ConnectHelper

    logging.getLogger("pyocd").setLevel(logging.CRITICAL)
    try:
        connected = ConnectHelper.get_all_connected_probes(blocking=False, print_wait_message=False)
    except Exception as trouble:  # pyOCD passes on whatever its USB libraries raise
        raise DeviceError(f"pyOCD cannot look for debug probes: {trouble}") from trouble
    return [Found("probe", probe.unique_id, probe.description) for probe in connected]
