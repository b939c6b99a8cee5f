"""PercepNet kit: from a trained noise suppressor to firmware on phones and ARM boards."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.denoiser import Denoiser

__version__ = "0.1.0"
__all__ = ["Denoiser"]


def __getattr__(name: str) -> Any:
    """`kit.Denoiser`, imported when it is asked for: the command line starts faster without."""
    if name == "Denoiser":
        from kit.denoiser import Denoiser

        return Denoiser
    raise AttributeError(f"module `kit` has no attribute `{name}`")
