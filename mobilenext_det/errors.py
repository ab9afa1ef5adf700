"""What a person can mend: every error that tools print as one sentence, without a traceback, and end with exit code 2.

`deploy.runtime` travels alone beside exported files, so that its `DeployError` cannot inherit from here.
"""

from __future__ import annotations


class UserError(ValueError):
    """Something that a person can mend, in one sentence that names the file, the value and the fix.

    One that was raised in a loader's worker reaches the main process as a new one, whose text is the worker's
    traceback (`torch._utils.ExceptionWrapper`); the sentence is its end.
    """

    def __init__(self, sentence: str = '') -> None:
        if sentence.startswith(f'Caught {type(self).__name__} in '):
            sentence = sentence.rpartition(f'{type(self).__qualname__}: ')[2].rstrip()
        super().__init__(sentence)


class UsageError(UserError):
    """A command, config or setting that cannot do what it says."""


class BadDataError(UserError):
    """Data that cannot be trained on or evaluated, with the file to look at and the fix."""


class TrainingError(UserError):
    """A training that cannot go on, with where it stopped and the fix."""


class CheckpointError(UsageError):
    """A checkpoint that cannot be read."""


class MachineError(UserError):
    """A trouble of the machine, not of the file that was to be read when it came up."""
