import numpy as np
import pytest

PIPELINE = [dict(type='CheckedLoadImage')]


def remove(path, other):
    path.unlink()


def empty(path, other):
    path.write_bytes(b'')


def cut_off(path, other):
    path.write_bytes(path.read_bytes()[:-300])


def zero_the_end(path, other):
    path.write_bytes(path.read_bytes()[:-1000] + bytes(1000))


def damage_the_header(path, other):
    content = bytearray(path.read_bytes())
    content[2:300] = bytes(298)
    path.write_bytes(content)


def replace_by_another_size(path, other):
    path.write_bytes(other.read_bytes())


@pytest.mark.parametrize('spoil', [remove, empty, cut_off, zero_the_end, damage_the_header, replace_by_another_size])
def test_image_that_breaks_after_the_start_is_named_and_another_is_drawn(voc, obj, log, spoil):
    path = voc.add('a', obj())
    other = voc.add('b', obj(), size=(70, 50))
    dataset = voc.read(pipeline=PIPELINE)
    assert dataset[0]['img_id'] == 'a'
    spoil(path, other)
    np.random.seed(0)
    assert dataset[0]['img_id'] == 'b'
    assert log
    assert all(line.startswith(f'{path}: skipped in training, for') for line in log)


def test_whole_image_is_loaded_as_stock_loads_it(voc, obj, log):
    from mmcv.transforms import LoadImageFromFile

    path = voc.add('a', obj())
    loaded = voc.read(pipeline=PIPELINE)[0]
    expected = LoadImageFromFile()(dict(img_path=str(path)))
    np.testing.assert_array_equal(loaded['img'], expected['img'])
    assert loaded['ori_shape'] == expected['ori_shape'] == (40, 60)
    assert log == []


def test_stock_loading_in_a_test_pipeline_names_the_file_that_is_gone(voc, obj):
    path = voc.add('a', obj())
    dataset = voc.read(pipeline=[dict(type='LoadImageFromFile')], test_mode=True)
    path.unlink()
    with pytest.raises(FileNotFoundError, match='a.jpg'):
        dataset[0]
