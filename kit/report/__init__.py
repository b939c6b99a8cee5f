"""One self-contained HTML page, and the same facts as JSON, about a run on a device."""
