"""How long the config trains that is written."""

import pytest

from mobilenext_det.own_data.config_file import VALIDATIONS, length


@pytest.mark.parametrize('max_iters', [1, 2, 9, 10, 11, 99, 823, 1000])
def test_a_training_is_validated_ten_times_at_most(max_iters):
    found = length(max_iters)
    interval = found['val_interval']
    validations = {*range(interval, max_iters + 1, interval), max_iters}  # the loop adds the last iteration
    assert len(validations) <= VALIDATIONS
    assert 1 <= found['warmup_iters'] <= max_iters
