"""A comparison as Markdown, as JSON, as one HTML page, and as tables on the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mobilenext_det.display.page import Section, html_page
from mobilenext_det.display.tables import Column, Table
from mobilenext_det.files import write_atomically
from mobilenext_det.speed.forms import form_name

from .run_record import Run

TITLE = 'Comparison'


def accuracy_table(numbers: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: mAP of every config and its difference from the first.

    Args:
        numbers: What `compare_runs` returned.
    """
    heads = ['config', 'runs', 'mAP 11 points', 'mAP area', 'difference, 11 points', 'difference, area']
    rows = []
    for name, config in numbers['configs'].items():
        cells = [name, str(config['runs']), *(_spread(config[mAP]) for mAP in ('mAP_11points', 'mAP_area'))]
        difference = config['difference'] or {}
        rows.append(cells + [_with_interval(difference.get(mAP)) for mAP in ('mAP_11points', 'mAP_area')])
    return heads, rows


def cost_table(numbers: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: what every config costs.

    Args:
        numbers: What `compare_runs` returned.
    """
    latencies = numbers['latency']['rows'] if numbers['latency'] else []
    forms = list(dict.fromkeys((row['form'], row['precision']) for row in latencies))
    spent = {(row['network'], row['form'], row['precision']): row['milliseconds'] for row in latencies}
    heads = ['config', 'params', 'MAdds', 'weights, MB', 'training, images/s', 'training, s']
    heads += [f'{form_name(*form)}, ms' for form in forms]
    rows = []
    for name, config in numbers['configs'].items():
        model = config['model']
        cells = [name, f'{model["total"]["params"]:,}', f'{model["total"]["madds"]:,}']
        cells += [f'{model["weights_bytes"] / 1e6:.2f}', _plain(config['images_per_second'], 1)]
        cells += [_plain(config['train_seconds'], 0)]
        rows.append(cells + [_plain(spent.get((name, *form)), 1) for form in forms])
    return heads, rows


def class_table(numbers: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: 11-point AP of every class with the first config, and the others' differences.

    Args:
        numbers: What `compare_runs` returned.
    """
    first, *others = numbers['configs'].items()
    heads = ['class', 'objects', f'AP, {first[0]}', *(f'difference, {name}' for name, _ in others)]
    rows = []
    for label, objects in numbers['objects'].items():
        differences = (config['difference']['per_class'][label]['AP_11points'] for _, config in others)
        own = first[1]['per_class'][label]['AP_11points']
        rows.append([label, f'{objects:,}', _percent(own), *map(_with_interval, differences)])
    return heads, rows


def run_table(numbers: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: every run and where it was made.

    Args:
        numbers: What `compare_runs` returned.
    """
    heads = ['config', 'seed', 'mAP 11 points', 'mAP area', 'iterations', 'images/s', 'made on', 'torch']
    rows = []
    for name, config in numbers['configs'].items():
        for run in config['each']:
            training, made = run['training'] or {}, run['environment']
            on = f'{made["cpu"]}, {made["threads"]} threads' if made['device'] == 'cpu' else made['device']
            cells = [name, str(run['seed']), _percent(run['mAP_11points']), _percent(run['mAP_area'])]
            cells += [_plain(training.get('iterations'), 0), _plain(training.get('images_per_second'), 1)]
            rows.append([*cells, on, made['torch']])
    return heads, rows


def notes(numbers: Mapping[str, Any]) -> list[str]:
    """What the numbers mean, what the intervals cover and what they do not, in sentences.

    Args:
        numbers: What `compare_runs` returned.
    """
    counts = sorted({config['runs'] for config in numbers['configs'].values()})
    level = f'{100 * numbers["level"]:g} %'
    sentences = [
        f'{numbers["images"]} test images. AP in percent; mean ± sample standard deviation over the runs; differences '
        f'in points from {numbers["first"]}, with {level} intervals. The last checkpoint of a training counts, not the '
        'one that was best on the test images.',
        f'An interval is a bootstrap of {numbers["resamples"]} resamples in two stages: the test images, the same for '
        'all configs, and the runs of each config, whose deviations are stretched by the square root of n / (n - 1). '
        'So it covers which images were drawn for the test and which seeds for the training.',
        'It does not cover another data set, another schedule, learning rate or size of input, or the choice of the '
        'configs.',
    ]
    if counts[0] == 1:
        sentences.append(
            'A config with one run has no spread over seeds: its intervals cover the test images alone and are too '
            'short for a statement about the architecture.'
        )
    if 1 < counts[-1] < 10:
        sentences.append(
            f'{counts[-1]} runs say little of the spread over seeds: these intervals are somewhat too short, and one '
            'that barely leaves out zero proves nothing.'
        )
    sentences.append(
        f'Of intervals by class, one in {round(1 / (1 - numbers["level"]))} leaves out zero by chance alone.'
    )
    latency = numbers['latency']
    if latency:
        sentences.append(
            'Latency: one image at a time, from the picture in memory to its boxes, median of '
            f'{latency["images"]} images on {latency["cpu"]}, {latency["threads"]} threads, configs and forms in turns.'
        )
    sentences.append(
        'Params and MAdds are of the whole detector. Weights: the size of a file that holds them alone. Training '
        'speed: median over the iterations; its seconds leave out validation and what an interruption threw away.'
    )
    return sentences


def write_report(out: str | Path, numbers: Mapping[str, Any], runs: Mapping[str, Sequence[Run]]) -> Path:
    """Write comparison.md, comparison.json, comparison.html and the plots.

    Args:
        out: Folder of the comparison.
        numbers: What `compare_runs` returned.
        runs: The runs by config.

    Returns:
        The HTML page.
    """
    from . import charts as charts  # matplotlib is for those who want pictures

    plots = Path(out, 'plots')
    plots.mkdir(parents=True, exist_ok=True)
    figures = {
        'accuracy': charts.mean_chart(numbers),
        'differences': charts.difference_chart(numbers),
        'classes': charts.class_chart(numbers),
    }
    if any(run.curve['loss'] for of_config in runs.values() for run in of_config):
        figures['curves'] = charts.curve_chart(runs)
    for name, figure in figures.items():
        figure.savefig(plots / f'{name}.png')
    page = Path(out, 'comparison.html')
    write_atomically(_page(numbers, plots, figures).encode(), page)
    write_atomically((json.dumps(numbers, indent=1) + '\n').encode(), Path(out, 'comparison.json'))
    write_atomically(_markdown(numbers, figures).encode(), Path(out, 'comparison.md'))
    return page


def print_table(numbers: Mapping[str, Any]) -> None:
    """Print accuracy and cost on the terminal.

    Args:
        numbers: What `compare_runs` returned.
    """
    console = Console()
    console = console if console.is_terminal else Console(width=160)
    for heads, rows in (accuracy_table(numbers), cost_table(numbers)):
        console.print(_table(heads, rows).rich(), highlight=False)
    console.print('\n'.join(notes(numbers)[:2]), style='dim', highlight=False, markup=False)


def _table(heads: list[str], rows: list[list[str]]) -> Table:
    return Table([Column(head, words=not index) for index, head in enumerate(heads)], rows)


def _page(numbers: Mapping[str, Any], plots: Path, figures: Mapping[str, Any]) -> str:
    said = notes(numbers)
    sections = [
        Section(
            'Accuracy',
            ['Dot: mean over the runs. Line: its interval. Ticks: the single runs.'],
            plots / 'accuracy.png',
            _table(*accuracy_table(numbers)),
        ),
        Section(
            f'Differences from {numbers["first"]}',
            [
                'Measured on the same resamples of the test images, which is why these intervals say more than a look '
                'at whether those above overlap.'
            ],
            plots / 'differences.png',
        ),
        Section('Cost', [' '.join(said[-2:] if numbers['latency'] else said[-1:])], table=_table(*cost_table(numbers))),
        Section(
            'Classes',
            [
                f'AP of {numbers["first"]} and the differences of the others. Of such intervals, one in '
                f'{round(1 / (1 - numbers["level"]))} leaves out zero by chance alone.'
            ],
            plots / 'classes.png',
            _table(*class_table(numbers)),
        ),
        Section('Runs', ['Each training, or checkpoint that was given.'], table=_table(*run_table(numbers))),
        Section('What these numbers mean', said[1:]),
    ]
    if 'curves' in figures:
        curves = 'Thin: single runs. Bold: their mean. The loss is averaged over stretches of the training.'
        sections.insert(4, Section('Learning curves', [curves], plots / 'curves.png'))
    return html_page(f'{TITLE} of {len(numbers["configs"])} detectors', said[0], sections, 'comparison.json')


def _markdown(numbers: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    parts = [f'# {TITLE} of {len(numbers["configs"])} detectors']
    for heading, table, name in (
        ('Accuracy', accuracy_table, 'accuracy'),
        ('Differences', None, 'differences'),
        ('Cost', cost_table, None),
        ('Classes', class_table, 'classes'),
        ('Learning curves', None, 'curves'),
        ('Runs', run_table, None),
    ):
        if table or name in figures:
            parts.append(f'## {heading}')
        if table:
            heads, rows = table(numbers)
            marks = [':--', *['--:'] * (len(heads) - 1)]
            parts.append('\n'.join(f'| {" | ".join(row)} |' for row in (heads, marks, *rows)))
        if name in figures:
            parts.append(f'![{heading}](plots/{name}.png)')
    parts.append('## What these numbers mean')
    parts.append('\n'.join(f'- {sentence}' for sentence in notes(numbers)))
    return '\n\n'.join(parts) + '\n'


def _spread(number: Mapping[str, Any]) -> str:
    sd = '' if number['sd'] is None else f' ± {100 * number["sd"]:.2f}'
    return _percent(number['mean']) + sd


def _with_interval(number: Mapping[str, Any] | None) -> str:
    if number is None or number['mean'] is None or number['interval'] is None:
        return '-'
    low, high = number['interval']
    return f'{100 * number["mean"]:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]'


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{100 * value:.2f}'


def _plain(value: float | None, digits: int) -> str:
    return '-' if value is None else f'{value:,.{digits}f}'
