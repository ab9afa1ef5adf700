"""What a person can mend: every error that tools print as one sentence, without a traceback, and end with exit code 2.

`deploy.runtime` travels alone beside exported files, so that its `DeployError` cannot inherit from here.
"""

from __future__ import annotations


class UserError(ValueError):
    """Something that a person can mend, in one sentence that names the file, the value and the fix."""


class UsageError(UserError):
    """A command, config or setting that cannot do what it says."""


class BadDataError(UserError):
    """Data that cannot be trained on or evaluated, with the file to look at and the fix."""


class CheckpointError(UsageError):
    """A checkpoint that cannot be read."""
