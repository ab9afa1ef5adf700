import pytest
import torch
from torch import nn

from mobilenext_det.checkpoints.class_lists import require_num_classes, require_same_classes, saved_classes
from mobilenext_det.errors import UsageError

VAL = 'val_dataloader.dataset.metainfo'
TRAIN = 'train_dataloader.dataset.metainfo'
REVERSED = dict(classes=('c', 'b', 'a'))


@pytest.fixture
def checkpoint(tiny_runner, tmp_path):
    """Write a checkpoint with a list of classes, and return its path."""

    def write(meta):
        state_dict = tiny_runner(tmp_path / 'other').model.state_dict()
        meta = dict(epoch=0, iter=2, cfg='', seed=3, experiment_name='x', time='', mmengine_version='0.10.7') | meta
        hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
        torch.save(dict(meta=meta, state_dict=state_dict, message_hub=hub), tmp_path / 'given.pth')
        return str(tmp_path / 'given.pth')

    return write


@pytest.mark.parametrize(
    'meta',
    [
        dict(dataset_meta=dict(classes=('a', 'b'))),
        dict(dataset_meta=dict(CLASSES=['a', 'b'])),
        dict(CLASSES=('a', 'b')),
    ],
)
def test_names_are_read_as_all_versions_of_mmdetection_wrote_them(meta):
    assert saved_classes(dict(meta=meta)) == ('a', 'b')


@pytest.mark.parametrize('saved', [{}, dict(meta=None), dict(meta=dict(dataset_meta=None)), dict(meta={})])
def test_a_checkpoint_without_names_has_none(saved):
    assert saved_classes(saved) == ()


@pytest.mark.parametrize(
    'other, difference',
    [
        (('b', 'a'), 'the same names in another order'),
        (('a',), 'only the second has b'),
        (('a', 'b', 'c'), 'only the first has c'),
        (('a', 'c'), 'only the first has c, only the second has b'),
    ],
)
def test_lists_that_differ_are_refused_with_both(other, difference):
    with pytest.raises(UsageError) as error:
        require_same_classes({'one': ('a', 'b'), 'nothing': (), 'two': other})
    assert f"The classes of two are {other}, those of one are ('a', 'b'): {difference}." in str(error.value)
    require_same_classes({'one': ('a', 'b'), 'nothing': (), 'two': ['a', 'b']})


def test_another_number_of_classes_is_refused_with_the_setting():
    class Head(nn.Module):
        num_classes = 3

    model = nn.Module()
    model.bbox_head = Head()
    require_num_classes(model, (), 'data')
    require_num_classes(model, ('a', 'b', 'c'), 'data')
    with pytest.raises(UsageError, match=r"=3, but data has 2 .*\('a', 'b'\): set model\.bbox_head\.num_classes=2\.$"):
        require_num_classes(model, ('a', 'b'), 'data')


def test_two_data_sets_of_a_run_agree(tiny_runner):
    runner = tiny_runner(**{VAL: REVERSED})
    with pytest.raises(
        UsageError, match=r"the val set are \('c', 'b', 'a'\), those of the train set are \('a', 'b', 'c'\)"
    ):
        runner.train()


def test_parts_of_a_data_set_agree_where_the_wrapper_does_not_look(tiny_runner):
    part = dict(type='TinyDataset', pipeline=[dict(type='TinyNoise')])
    parts = [part, dict(part, metainfo=REVERSED)]
    both = dict(type='mmengine.ConcatDataset', datasets=parts, ignore_keys=['classes'])
    with pytest.raises(UsageError, match="train set's part 1 are .* of the train set's part 0"):
        tiny_runner(**{'train_dataloader.dataset': dict(both, _delete_=True)}).train()


def test_the_network_is_for_that_many_classes(tiny_runner):
    runner = tiny_runner()
    runner.model.num_classes = 2
    with pytest.raises(UsageError, match='TinyNet is for num_classes=2, but the train set has 3 classes'):
        runner.train()


@pytest.mark.parametrize('resume', [True, False])
def test_a_training_from_names_in_another_order_is_refused(tiny_runner, checkpoint, resume):
    given = checkpoint(dict(dataset_meta=REVERSED))
    with pytest.raises(
        UsageError, match=r"the train set are \('a', 'b', 'c'\), those of \S+given.pth are \('c', 'b', 'a'\)"
    ):
        tiny_runner(load_from=given, resume=resume).train()


def test_a_training_may_start_from_other_classes_and_says_so(tiny_runner, checkpoint, capsys):
    given = checkpoint(dict(dataset_meta=dict(classes=('a', 'b', 'x'))))
    tiny_runner(load_from=given).train()
    assert "given.pth knows the classes ('a', 'b', 'x'), this run trains ('a', 'b', 'c')" in capsys.readouterr().out
    with pytest.raises(UsageError, match='only the second has x'):
        tiny_runner(load_from=given, resume=True).train()


@pytest.mark.parametrize('saved', [('c', 'b', 'a'), ('a', 'b'), ('a', 'b', 'c', 'd')])
def test_a_test_is_of_the_same_classes(tiny_runner, checkpoint, saved):
    runner = tiny_runner(load_from=checkpoint(dict(dataset_meta=dict(classes=saved))))
    with pytest.raises(UsageError, match=r'the val set are'):
        runner.val()


def test_a_checkpoint_without_names_is_taken_as_it_is(tiny_runner, checkpoint, capsys):
    tiny_runner(load_from=checkpoint({})).val()
    assert (
        "does not name its classes: they are taken for those of the val set, ('a', 'b', 'c')" in capsys.readouterr().out
    )
