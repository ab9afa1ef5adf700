"""The command `mobilenext`, and how every tool ends.

`mobilenext train CONFIG` is `python tools/train.py CONFIG`, for those who installed the wheel and have no checkout.
This module stands outside the package because importing the package takes seconds, which `--help` need not.
"""

from __future__ import annotations

import ast
import atexit
import gc
import importlib.util
import io
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

USAGE = 'mobilenext COMMAND [ARGUMENT ...]; `mobilenext COMMAND --help` explains one.'


def exit_code(main: Callable[[], int | None]) -> int:
    """Run a tool, and print what a person can mend as one sentence in the place of a traceback.

    Args:
        main: The tool; what it returns is its exit code, None stands for 0.

    Returns:
        0 if all was done, 1 if some inputs failed, 2 after a sentence.
    """
    atexit.register(gc.freeze)  # or Python looks for garbage among half a million objects of imports before it ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')  # a name that a terminal cannot print ends no evaluation
    try:
        return main() or 0
    except Exception as error:
        if (sentence := _sentence(error)) is None:
            raise
        print(sentence, file=sys.stderr)
        return 2


def _sentence(error: Exception) -> str | None:
    """Say what a person can mend: an input, a command, the machine; None if it is none of these."""
    from mobilenext_det.deploy.runtime import DeployError
    from mobilenext_det.errors import UserError
    from mobilenext_det.trouble import trouble

    return str(error) if isinstance(error, UserError | DeployError) else trouble(error)


def tools() -> dict[str, Path]:
    """Return the file of each command, such as `train` or `benchmark train`: everything in `tools/`."""
    package = _package_folder()
    folder = next(path for path in (package / '.mim' / 'tools', package.parent / 'tools') if path.is_dir())
    files = sorted(folder.rglob('*.py'), key=lambda path: (len(path.relative_to(folder).parts), path))
    return {' '.join(file.relative_to(folder).with_suffix('').parts).replace('_', '-'): file for file in files}


def _package_folder() -> Path:
    """Find the package without importing it."""
    spec = importlib.util.find_spec('mobilenext_det')
    assert spec and spec.origin, 'this file is installed together with the package'
    return Path(spec.origin).parent


def overview() -> str:
    """Return the map of the project: every command and the first sentence of what its file says of itself."""
    commands = tools()
    width = max(map(len, commands))
    lines = [f'  {name:<{width}}  {_summary(file)}' for name, file in commands.items()]
    return '\n'.join([f'usage: {USAGE}', '', *lines])


def _summary(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding='utf-8'))) or ''
    return text.partition('\n')[0].partition(': ')[0].rstrip('.')


def main() -> int:
    """Run one of the tools with the arguments behind its name."""
    commands, arguments = tools(), sys.argv[1:]
    for words in (2, 1):
        if (name := ' '.join(arguments[:words])) in commands:
            program = runpy.run_path(str(commands[name]))
            sys.argv = [f'mobilenext {name}', *arguments[words:]]  # now, as runpy puts the file's path there
            return exit_code(program['main'])
    if arguments in ([], ['--help'], ['-h']):
        print(overview())
        return 0
    print(f'There is no command "{" ".join(arguments[:2])}". {overview()}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
