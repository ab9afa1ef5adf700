"""How long a prepared config trains."""

import pytest

from mobilenext_det.own_data.pace import enough, evaluated_batches, iterations_within


@pytest.mark.parametrize(
    ('images', 'batch_size', 'crops', 'iterations'),
    [(205, 24, False, 300), (2050, 24, False, 2990), (2050, 24, True, 5125), (3, 2, True, 300)],
)
def test_whole_images_are_seen_less_often_than_cropped_ones(images, batch_size, crops, iterations):
    assert enough(images, batch_size, crops) == iterations


def test_minutes_are_as_many_iterations_as_the_machine_makes():
    """Less what the start, ten validations and the report take."""
    evaluated = evaluated_batches(validated=87, reported=72, batch_size=24)
    assert evaluated == pytest.approx(39.25)
    assert iterations_within(20, 2.0, evaluated) == 500
    assert iterations_within(20, 2.0, 0) == 540
    assert iterations_within(0.001, 2.0, evaluated) == 10
