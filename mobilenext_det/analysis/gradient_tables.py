"""Gradient confusion and information loss as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenext_det.display.tables import markdown_table, render

from .gradient_confusion import WHOLE
from .information import BottleneckLoss
from .measurement import Measurement


def confusion_table(results: Sequence[Measurement]) -> str:
    """One row a measurement, over the whole network."""
    numbers = ('loss', 'mean cosine', 'lowest', 'highest', 'negative pairs', 'lowest product', 'mean norm')
    table = markdown_table(['network', 'point'], numbers)
    for result in results:
        whole = result.confusion[WHOLE]
        cosines = (whole.mean_cosine, min(whole.cosines), max(whole.cosines))
        table.add_row(
            *(result.network, result.point, f'{result.loss:.3f}'),
            *(f'{cosine:.3f}' for cosine in cosines),
            *(f'{whole.confused:.1%}', f'{whole.min_inner_product:.3g}', f'{whole.mean_norm:.3g}'),
        )
    return render(table)


def information_table(results: Sequence[Measurement]) -> str:
    """One row a measurement: means over the blocks."""
    numbers = ('blocks', 'rank before', 'of channels', 'rank after', 'of channels', 'input lost', 'wide lost')
    table = markdown_table(['network', 'point'], numbers)
    for result in results:
        blocks = result.bottlenecks
        if blocks:
            means = [sum(values) / len(blocks) for values in zip(*map(_numbers, blocks), strict=True)]
            formats = ('{:.1f}', '{:.1%}', '{:.1f}', '{:.1%}', '{:.1%}', '{:.1%}')
            cells = (form.format(mean) for form, mean in zip(formats, means, strict=True))
            table.add_row(result.network, result.point, str(len(blocks)), *cells)
    return render(table)


def _numbers(block: BottleneckLoss) -> tuple[float, ...]:
    shares = block.rank_before / block.channels_before, block.rank_after / block.channels_after
    return block.rank_before, shares[0], block.rank_after, shares[1], block.input_lost, block.wide_lost
