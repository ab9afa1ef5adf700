"""Settings that stock tools would read and not act upon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmdet.registry import HOOKS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mobilenext_det.errors import UsageError

from .config_files import ConfigFiles, leaves


@HOOKS.register_module()
class SettingsHook(Hook):
    """Stop a run in which a value at the top of its config changes nothing.

    This project's tools see to it that such a value acts (:func:`~mobilenext_det.engine.config.load_config`). Stock
    tools read the config before any code of this package runs; there it would be ignored.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Compare the run's config with what its files say.

        Args:
            runner: The runner.

        Raises:
            UsageError: If a value is ignored; the sentence names the keys that act.
        """
        config = runner.cfg
        if not config.filename or not Path(config.filename).is_file():
            return
        for name, keys in _ignored(config):
            raise UsageError(
                f'{name} = {config[name]!r} of {config.filename} changes nothing in a stock tool, which runs a base '
                f'before the config that inherits it: set {", ".join(keys)}, or use `mobilenext train` and the like.'
            )


def _ignored(config: Config) -> Iterator[tuple[str, list[str]]]:
    """Yield the settings whose value has not reached a single key that derives from it, with these keys."""
    files = ConfigFiles(config.filename)
    plain, current = leaves(files.plain), leaves(config)
    for name in files.settings:
        if name not in config:
            continue
        keys = files.changes(name, config[name])
        if keys and all(current.get(key) == plain.get(key) for key in keys):
            yield name, keys
    for name in files.without_effect():
        yield name, files.derived(name, files.plain[name])
