"""Gradient confusion and information loss as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenext_det.display.tables import Column, Table

from .gradient_confusion import WHOLE
from .information import BottleneckLoss
from .measurement import Measurement

_NETWORK = Column('network', words=True), Column('point', words=True)
_cosine, _rank, _share, _short = '{:.3f}'.format, '{:.1f}'.format, '{:.1%}'.format, '{:.3g}'.format


def confusion_table(results: Sequence[Measurement]) -> str:
    """One row a measurement, over the whole network."""
    table = Table(
        [
            *_NETWORK,
            Column('loss', '{:.3f}'.format),
            *(Column(heading, _cosine) for heading in ('mean cosine', 'lowest', 'highest')),
            Column('negative pairs', _share),
            *(Column(heading, _short) for heading in ('lowest product', 'mean norm')),
        ]
    )
    for result in results:
        whole = result.confusion[WHOLE]
        cosines = (whole.mean_cosine, min(whole.cosines), max(whole.cosines))
        sizes = (whole.min_inner_product, whole.mean_norm)
        table.add_row(result.network, result.point, result.loss, *cosines, whole.confused, *sizes)
    return table.markdown()


def information_table(results: Sequence[Measurement]) -> str:
    """One row a measurement: means over the blocks."""
    ranks = [
        Column(heading, text)
        for when in ('before', 'after')
        for heading, text in ((f'rank {when}', _rank), ('of channels', _share))
    ]
    lost = [Column(heading, _share) for heading in ('input lost', 'wide lost')]
    table = Table([*_NETWORK, Column('blocks'), *ranks, *lost])
    for result in results:
        blocks = result.bottlenecks
        if blocks:
            means = [sum(values) / len(blocks) for values in zip(*map(_numbers, blocks), strict=True)]
            table.add_row(result.network, result.point, len(blocks), *means)
    return table.markdown()


def _numbers(block: BottleneckLoss) -> tuple[float, ...]:
    shares = block.rank_before / block.channels_before, block.rank_after / block.channels_after
    return block.rank_before, shares[0], block.rank_after, shares[1], block.input_lost, block.wide_lost
