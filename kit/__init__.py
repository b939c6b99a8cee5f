"""PercepNet kit: from a trained noise suppressor to firmware on phones and ARM boards."""

__version__ = "0.1.0"
