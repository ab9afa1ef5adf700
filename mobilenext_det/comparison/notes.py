"""What the numbers of a comparison mean, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from .results import Comparison


@dataclass(frozen=True)
class Notes:
    """Sentences about a comparison, by what they are about.

    Attributes:
        accuracy: How accuracy was measured.
        intervals: What an interval covers.
        limits: What it does not cover, and what is to be kept in mind.
        cost: How cost was measured.
    """

    accuracy: str
    intervals: str
    limits: list[str]
    cost: list[str]

    @property
    def meaning(self) -> list[str]:
        """All but how accuracy was measured."""
        return [self.intervals, *self.limits, *self.cost]


def notes(comparison: Comparison) -> Notes:
    """Say what the numbers mean, what the intervals cover and what they do not.

    Args:
        comparison: The numbers.
    """
    accuracy = (
        f'{comparison.images} test images. AP in percent; mean ± sample standard deviation over the runs; differences '
        f'in points from {comparison.first}, with {100 * comparison.level:g} % intervals. The last checkpoint of a '
        'training counts, not the one that was best on the test images.'
    )
    intervals = (
        f'An interval is a bootstrap of {comparison.resamples} resamples in two stages: the test images, the same for '
        'all configs, and the runs of each config, whose deviations are stretched by the square root of n / (n - 1). '
        'So it covers which images were drawn for the test and which seeds for the training.'
    )
    return Notes(accuracy, intervals, _limits(comparison), _cost(comparison))


def by_chance(comparison: Comparison) -> str:
    """Say how many of all intervals leave out zero where there is no difference."""
    return f'one in {round(1 / (1 - comparison.level))} leaves out zero by chance alone.'


def _limits(comparison: Comparison) -> list[str]:
    counts = [len(config.runs) for config in comparison.configs.values()]
    limits = [
        'It does not cover another data set, another schedule, learning rate or size of input, or the choice of the '
        'configs.'
    ]
    if min(counts) == 1:
        limits.append(
            'A config with one run has no spread over seeds: its intervals cover the test images alone and are too '
            'short for a statement about the architecture.'
        )
    if 1 < max(counts) < 10:
        limits.append(
            f'{max(counts)} runs say little of the spread over seeds: these intervals are somewhat too short, and one '
            'that barely leaves out zero proves nothing.'
        )
    return [*limits, f'Of intervals by class, {by_chance(comparison)}']


def _cost(comparison: Comparison) -> list[str]:
    cost = [
        'Params and MAdds are of the whole detector. Weights: the size of a file that holds them alone. Training '
        'speed: median over the iterations; its seconds leave out validation and what an interruption threw away.'
    ]
    measured = comparison.latencies
    if measured:
        cost.insert(
            0,
            'Latency: one image at a time, from the picture in memory to its boxes, median of '
            f'{measured.images} images on {measured.cpu}, {measured.threads} threads, configs and forms in turns.',
        )
    return cost
