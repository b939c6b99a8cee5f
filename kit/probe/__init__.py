"""Debug probes through the tools that people trust: pyOCD first, OpenOCD where it knows more."""

from kit.probe.tools import ProbeTool, tool_for

__all__ = ["ProbeTool", "tool_for"]
