"""One self-contained HTML page, and the same facts as JSON, about a run on a device."""

from kit.report.facts import Bar, Budget, Check, Facts, Recording
from kit.report.page import render_html, render_json

__all__ = ["Bar", "Budget", "Check", "Facts", "Recording", "render_html", "render_json"]
