"""What a shared library exports: the public interface, and nothing else."""

import re
from collections.abc import Sequence


def public_functions(header: str) -> list[str]:
    """Names of the functions that a header declares, in their order."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return re.findall(r"\b(pn_\w+)\s*\([^;{]*\)\s*;", text)


def version_script(functions: Sequence[str]) -> str:
    """For the linker: export these, hide all else."""
    lines = "".join(f"        {name};\n" for name in functions)
    return f"{{\n    global:\n{lines}    local:\n        *;\n}};\n"
