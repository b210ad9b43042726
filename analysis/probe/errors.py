"""Why a set of images can not serve as a probe."""

from analysis.errors import StrataError


class ProbeError(StrataError):
    """No images, or none that can be read."""
