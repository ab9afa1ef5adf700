"""What tools print without a traceback."""

from __future__ import annotations


class UsageError(ValueError):
    """Something that a person can mend, in one sentence that names the file, the value and the fix."""
