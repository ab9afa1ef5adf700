"""Images of two halves by turns, each of which stays its own."""

import itertools

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.search.halves import HalvesSampler


def take(sampler, count):
    return list(itertools.islice(iter(sampler), count))


@pytest.mark.parametrize('images', [10, 11])
def test_halves_alternate_and_never_meet(images):
    order = take(HalvesSampler(range(images), seed=1), 20)
    assert all(index % 2 == place % 2 for place, index in enumerate(order))
    for epoch in (order[:10], order[10:]):
        assert sorted(epoch) == list(range(10))
    assert order[:10] != order[10:]


def test_the_order_is_the_seeds_and_goes_on_where_it_was():
    order = take(HalvesSampler(range(10), seed=1), 40)
    assert order == take(HalvesSampler(range(10), seed=1), 40) != take(HalvesSampler(range(10), seed=2), 40)
    resumed = HalvesSampler(range(10), seed=1)
    resumed.start_at(14)
    assert take(resumed, 26) == order[14:]


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr('mobilenext_det.search.halves.get_world_size', lambda: 2)
    with pytest.raises(UsageError, match='A search runs in one process: start it without a launcher'):
        HalvesSampler(range(10), seed=1)


def test_one_image_has_no_halves():
    with pytest.raises(ValueError, match='range holds one image; a search needs two, one for each half'):
        HalvesSampler(range(1), seed=1)
