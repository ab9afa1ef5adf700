"""Values at the top of a config, which others derive from: the one that is given last holds in every file."""

from __future__ import annotations

import ast
import difflib
import inspect
import math
import os
import traceback
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mmengine.config import Config
from mmengine.config import config as mmengine_config
from mmengine.runner import Runner

from mobilenext_det.errors import UsageError, UserError
from mobilenext_det.trouble import trouble

READ_KEYS = {
    *inspect.signature(Runner.__init__).parameters,
    *('activation_checkpointing', 'compile', 'efficient_conv_bn_eval', 'find_unused_parameters', 'model_wrapper_cfg'),
    *('sync_bn', 'tta_model', 'tta_pipeline'),
}
"""Top-level keys that are looked up: arguments of mmengine's Runner, and what it and tools read from a config."""

_CONSTANT = (ast.Constant, ast.Tuple, ast.List, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.Load)


class ConfigFiles:
    """A config and all files that it inherits.

    mmengine runs a base to its end before the file that inherits it, so that ``input_size = 192`` there changes that
    name alone, and nothing that the base derived from its own 320 (mmdetection#10891). Here a base is run with the
    value that a later file gives to one of its *settings*: names to which some file assigns a constant, and which
    nothing but configs reads.

    Args:
        path: The config file.

    Attributes:
        plain: The config as mmengine reads it.
        settings: Names of the settings, sorted.

    Raises:
        UsageError: If one of the files cannot be run; the sentence has its name, its line and those that inherit it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._files: list[_File] = []
        self._inherited: dict[str, Any] = {}  # what the last file's bases give it
        self.plain = self._run({})
        constants = {name for file in self._files for name, value in file.assigned.items() if _is_constant(value)}
        self.settings = sorted(constants & self.plain.keys() - READ_KEYS)

    def resolved(self, given: Mapping[str, Any]) -> Config:
        """Return the config in which the last value of every setting holds.

        Args:
            given: Values that come after those of all files.
        """
        config, before = self.plain, None
        for _ in range(3):  # settings may derive from one another
            values = {name: config[name] for name in self.settings if _is_plain(config[name])} | dict(given)
            if values == before or not any(self._differs(name, value) for name, value in values.items()):
                break
            config, before = self._run(values, given), values
        return config

    def changes(self, name: str, value: Any) -> list[str]:
        """Return the dotted keys that would change if a value of a setting held in all files."""
        if not self._differs(name, value):
            return []
        before, after = leaves(self.plain), leaves(self._run({name: value}, [name]))
        return [key for key, leaf in after.items() if key not in before or before[key] != leaf]

    def acts(self, name: str, value: Any, other: Any) -> bool:
        """Tell whether a setting's value in all files gives another config than another value of it."""
        return leaves(self._run({name: value}, [name])) != leaves(self._run({name: other}, [name]))

    def derived(self, name: str, value: Any) -> list[str]:
        """Return the dotted keys that derive from a setting in the first file that has it, whatever comes later."""
        first = next(file for file in self._files if name in file.assigned)
        return ConfigFiles(first.path).changes(name, value)

    def without_effect(self) -> Iterator[str]:
        """Yield the settings to which the last file gives another value in vain: later words of its bases hold."""
        for name in sorted(self._files[-1].unread & set(self.settings) & self._inherited.keys()):
            value, inherited = self.plain[name], self._inherited[name]
            if value != inherited and not self.acts(name, value, inherited):
                yield name

    def misspelt(self) -> Iterator[tuple[str, str]]:
        """Yield constants that the last file gives to a name which nothing reads, each with the name it looks like."""
        *bases, last = self._files
        known = {name for file in bases for name in file.assigned} | READ_KEYS
        for name in sorted(last.unread - known):
            likely = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if likely and _is_constant(last.assigned[name]):
                yield name, likely[0]

    def _differs(self, name: str, value: Any) -> bool:
        """Tell whether any file assigns something else to a name than this value."""
        assigned = [file.assigned[name] for file in self._files if name in file.assigned]
        return any(not _is_constant(expression) or _value(expression) != value for expression in assigned)

    def _run(self, values: Mapping[str, Any], given: Collection[str] = ()) -> Config:
        """Run the files, with values in the place of what they assign to names that a later file assigns to.

        Args:
            values: The values by name.
            given: Names that come after all files: no file's own value is left.
        """
        last = {name: index for index, file in enumerate(self._files) for name in file.assigned}
        files: list[_File] = []
        paths: list[str] = []
        inherited: dict[str, Any] = {}
        load = Config._file2dict

        def file_to_dict(filename: str, *args: Any, **kwargs: Any) -> Any:
            path = os.path.abspath(filename)
            if path in paths:
                raise UsageError(f'{path} inherits itself: {_chain([*paths, path])}.')
            paths.append(path)
            loaded = load(filename, *args, **kwargs)
            paths.pop()  # not after an error: what is left leads to it
            if len(paths) == 1:
                inherited.update(loaded[0])
            return loaded

        def visitor(base_key: str) -> _File:
            earlier = {name for name in values if name in given or len(files) < last.get(name, 0)}
            files.append(_File(base_key, paths[-1], values, earlier))
            return files[-1]

        with (
            patch.object(mmengine_config, 'RemoveAssignFromAST', visitor),
            patch.object(Config, '_file2dict', staticmethod(file_to_dict)),
        ):
            try:
                config = Config.fromfile(self.path)
            except Exception as error:  # a config is a program, which can end in anything
                if isinstance(error, UserError) or trouble(error):
                    raise
                raise UsageError(_why_unreadable(error, paths or [self.path])) from error
        if not self._files:
            self._files, self._inherited = files, inherited
        return config


class _File(mmengine_config.RemoveAssignFromAST):
    """What mmengine does to the code of a config file, and values in the place of its own.

    Attributes:
        path: The file.
        assigned: What it assigns to each name, as it is written.
        unread: Names that it assigns to and does not read itself.
    """

    def __init__(self, base_key: str, path: str, values: Mapping[str, Any], earlier: Collection[str]) -> None:
        super().__init__(base_key)
        self.path = path
        self.assigned: dict[str, ast.expr] = {}
        self.unread: set[str] = set()
        self._values, self._earlier = values, earlier

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """Note and replace; ``a, b = 1, 2`` and ``a = b = 1`` are taken apart first."""
        node.body = [part for line in node.body for part in _single(line)]
        for line in node.body:
            if isinstance(line, ast.Assign) and isinstance(target := line.targets[0], ast.Name):
                self.assigned[target.id] = line.value
                if target.id in self._earlier or (target.id in self._values and _reads(line.value, self.key)):
                    line.value = ast.parse(repr(self._values[target.id]), mode='eval').body
        names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
        self.unread = self.assigned.keys() - {name.id for name in names if isinstance(name.ctx, ast.Load)}
        return ast.fix_missing_locations(self.generic_visit(node))


def _why_unreadable(error: Exception, paths: list[str]) -> str:
    """Say in which file and line a config ended, and in what.

    Args:
        error: What running it ended in.
        paths: The files that were being run: each inherits the one behind it.
    """
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == paths[-1]]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    place = f', line {line}' if line else ''
    what = error.msg if isinstance(error, SyntaxError) else str(error).partition('\n')[0]
    return f'{_chain(paths)}{place}: the config cannot be read, {type(error).__name__}: {what}.'


def _chain(paths: list[str]) -> str:
    return ', inherited by '.join(reversed(paths))


def _single(line: ast.stmt) -> list[ast.stmt]:
    """Return assignments of constants to one name each in the place of one to several."""
    if not isinstance(line, ast.Assign) or not _is_constant(line.value):
        return [line]
    parts: list[tuple[ast.expr, ast.expr]] = []
    for target in line.targets:
        if isinstance(target, ast.Tuple) and isinstance(line.value, ast.Tuple):
            parts += list(zip(target.elts, line.value.elts, strict=True))
        else:
            parts.append((target, line.value))
    return [ast.copy_location(ast.Assign([target], value), line) for target, value in parts]


def _reads(expression: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(expression))


def _is_constant(expression: ast.expr) -> bool:
    return all(isinstance(part, _CONSTANT) for part in ast.walk(expression))


def _value(constant: ast.expr) -> Any:
    return eval(compile(ast.Expression(constant), '', 'eval'), {})


def _is_plain(value: Any) -> bool:
    """Tell whether a value can be written as a constant."""
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value))


def leaves(config: Config) -> dict[str, Any]:
    """Return every setting that is read after the config file was, by its dotted key."""
    found = {}
    parts = [(key, value) for key, value in config.items() if key in READ_KEYS]
    while parts:
        name, value = parts.pop(0)
        if isinstance(value, dict):
            parts.extend((f'{name}.{key}', item) for key, item in value.items())
        elif isinstance(value, list | tuple) and any(isinstance(item, dict | list | tuple) for item in value):
            parts.extend((f'{name}.{index}', item) for index, item in enumerate(value))
        else:
            found[name] = value
    return found
