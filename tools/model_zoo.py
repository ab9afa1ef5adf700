"""Write docs/model_zoo.md, the page of the model zoo, from configs/metafile.yml: python tools/model_zoo.py.

The page is for people, the metafile for `mim` as well: one entry a config, with its cost, recipe, results and weights.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mobilenext import exit_code

ROOT = Path(__file__).resolve().parents[1]
METAFILE = 'configs/metafile.yml'
PAGE = 'docs/model_zoo.md'
HEADS = ('config', 'input', 'params', 'MAdds', 'data', 'recipe', 'measured here', 'published', 'weights')
MARKS = (':--', '--:', '--:', '--:', *[':--'] * 5)
INTRODUCTION = f"""# Model zoo

Every config with what it costs, how it trains, and what it reached. Made by `python tools/model_zoo.py` from
[{METAFILE}](../{METAFILE}), which `mim` reads too; a test holds each row against its config, network and files.

- Input: pixels a side. Params and MAdds are of the whole network, for one image.
- Measured here: percent, after the last iteration; mean ± standard deviation where there are several seeds, with a link
  to the record. [Results](results.md) has the commands, and what the figures do and do not show: settings for the
  synthetic scenes were chosen on those that they are measured on.
- Published: percent, reported by the authors, **not measured here**, and how their run differs from the config."""


def write_page(root: Path) -> Path:
    """Write the page.

    Args:
        root: Folder of the repository.

    Returns:
        The file written.

    Raises:
        UsageError: If the repository has no docs, as an installed package; otherwise see `read_models`.
    """
    from mobilenext_det.errors import UsageError
    from mobilenext_det.files import write_atomically

    path = root / PAGE
    if not path.parent.is_dir():
        raise UsageError(f'There is no folder {path.parent}: the page is made in a checkout of the repository.')
    write_atomically(page(read_models(root)).encode(), path)
    return path


def read_models(root: Path) -> list[dict[str, Any]]:
    """Read the entries of the metafile.

    Args:
        root: Folder of the repository.

    Raises:
        UsageError: If a config has no entry or several, or an entry no config.
    """
    from mmengine.fileio import load

    from mobilenext_det.errors import UsageError

    models = load(root / METAFILE)['Models']
    configs, entries = find_configs(root), Counter(model['Config'] for model in models)
    for config in sorted({*configs, *entries}):
        if config not in configs:
            raise UsageError(f'{METAFILE} has an entry for {config}, which is no config to train.')
        if not entries[config]:
            raise UsageError(
                f'{config} has no entry in {METAFILE}: add one; `python tools/analysis/complexity.py {config} --json` '
                'counts it.'
            )
        if entries[config] > 1:
            raise UsageError(f'{config} has {entries[config]} entries in {METAFILE}, but should have one.')
    return models


def find_configs(root: Path) -> list[str]:
    """Return every config that can be trained, as a path in the repository."""
    paths = (path.relative_to(root) for path in (root / 'configs').rglob('*.py'))
    return sorted(path.as_posix() for path in paths if '_base_' not in path.parts)


def page(models: Iterable[Mapping[str, Any]]) -> str:
    """Return the page in Markdown: a table for each folder of configs, in the order of the entries."""
    rows = defaultdict(lambda: [HEADS, MARKS])
    for model in models:
        rows[os.path.dirname(model['Config'])].append(_row(model))
    sections = [f'## {folder}\n\n{_table(table)}' for folder, table in rows.items()]
    return '\n\n'.join([INTRODUCTION, *sections]) + '\n'


def _table(rows: Iterable[Iterable[str]]) -> str:
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def _row(model: Mapping[str, Any]) -> tuple[str, ...]:
    metadata = model['Metadata']
    return (
        _link(model['Name'], model['Config']),
        str(metadata['Input Size']),
        *(f'{metadata[count]:,}' for count in ('Parameters', 'MAdds')),
        *(metadata[key] for key in ('Training Data', 'Recipe')),
        _measured(model),
        _published(model.get('Published')),
        _weights(model),
    )


def _measured(model: Mapping[str, Any]) -> str:
    if 'Results' not in model:
        return 'not measured'
    seeds = str(model['Metadata']['Seeds'])
    name = f'seed{"s" if "," in seeds else ""} {seeds}'
    lines = []
    for result in model['Results']:
        metrics = result['Metrics']
        for metric, value in metrics.items():
            if not metric.endswith(' sd'):
                spread = f' ± {metrics[f"{metric} sd"]:.2f}' if f'{metric} sd' in metrics else ''
                lines.append(f'{metric} {value:.2f}{spread}')
        record = result['Record']
        lines.append(f'{result["Dataset"]}, {_link(name, os.path.dirname(record) if "*" in record else record)}')
    return '<br>'.join(lines)


def _published(published: Mapping[str, Any] | None) -> str:
    if not published:
        return 'none'
    numbers = ', '.join(f'{metric} {value}' for metric, value in published['Metrics'].items())
    return f'{numbers}<br>{published["Dataset"]}, [published]({published["Source"]}): {published["Setting"]}'


def _weights(model: Mapping[str, Any]) -> str:
    if 'Weights' not in model:
        return 'none'
    files = zip(model['Weights'].split(', '), model['SHA-256'].split(', '), strict=True)
    return '<br>'.join(f'{_link(os.path.basename(path), path)}<br>SHA-256 `{digest}`' for path, digest in files)


def _link(text: str, path: str) -> str:
    return f'[{text}]({os.path.relpath(path, os.path.dirname(PAGE))})'


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    return argparse.ArgumentParser(description='Write docs/model_zoo.md from configs/metafile.yml.').parse_args()


def main() -> int:
    """Write the page, or say in one sentence which config or entry is missing."""
    parse_args()
    print(write_page(ROOT))
    return 0


if __name__ == '__main__':
    sys.exit(exit_code(main))
