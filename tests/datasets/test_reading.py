"""A broken file is skipped; a machine's trouble stops the run with its name."""

import errno
import os
import resource

import cv2
import pytest
from torch.utils.data import DataLoader

from mobilenext_det.datasets import CheckedLoadImage
from mobilenext_det.datasets.image_check import BrokenImageError, image_size, read_image
from mobilenext_det.datasets.reading import reading_trouble
from mobilenext_det.errors import MachineError


@pytest.mark.parametrize(
    ('number', 'words'),
    [
        (errno.EMFILE, r'a.jpg: it cannot be read \(Too many open files\); .*ulimit -n'),
        (errno.ENFILE, 'ulimit -n'),
        (errno.ENOMEM, r'\(Cannot allocate memory\); take fewer workers'),
        (errno.EACCES, r'\(Permission denied\); give this user the right to read it'),
        (errno.EPERM, 'chmod'),
        (errno.ESTALE, 'look whether its disk or network folder is still there'),
        (errno.EIO, 'look whether its disk or network folder is still there'),
        (errno.EHOSTDOWN, 'look whether its disk or network folder is still there'),
    ],
)
def test_trouble_of_the_machine_has_its_name_and_remedy(number, words):
    trouble = reading_trouble(OSError(number, os.strerror(number)), 'a.jpg')
    assert isinstance(trouble, MachineError)
    with pytest.raises(MachineError, match=words):
        raise trouble


@pytest.mark.parametrize(
    'error', [FileNotFoundError(errno.ENOENT, ''), IsADirectoryError(errno.EISDIR, ''), OSError('cut')]
)
def test_a_file_that_is_missing_or_broken_is_no_trouble(error):
    assert reading_trouble(error, 'a.jpg') is None


def test_memory():
    assert 'take fewer workers' in str(reading_trouble(MemoryError(), 'a.jpg'))


@pytest.fixture
def no_files():
    """Let no further file be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def forbid():
        lowest = os.dup(0)  # the number that the next file would get
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))

    yield forbid
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_open_file_left_stops_reading_and_training(voc, obj, no_files):
    path = str(voc.add('a', obj()))
    load, training = CheckedLoadImage(), voc.read()
    no_files()
    for read in (image_size, read_image, lambda path: load(dict(img_path=path)), lambda path: voc_again(training)):
        with pytest.raises(MachineError, match='it cannot be read .Too many open files.'):
            read(path)


def voc_again(training):
    """Read the annotations once more; their list is open already."""
    training._read_image_entry('a')


def test_a_lost_folder_stops_the_run_and_a_lost_file_does_not(voc):
    path, other = voc.add('a'), voc.add('b')
    load = CheckedLoadImage()
    path.unlink()
    assert load(dict(img_path=str(path))) is None
    other.unlink()
    voc.path('JPEGImages/Thumbs.db').unlink()
    with pytest.raises(MachineError, match='its folder is gone or empty'):
        load(dict(img_path=str(path)))
    voc.path('JPEGImages').rmdir()
    with pytest.raises(MachineError, match='its folder is gone or empty'):
        load(dict(img_path=str(path)))


class Troubled:
    def __len__(self):
        return 2

    def __getitem__(self, index):
        raise MachineError('a.jpg: it cannot be read (Too many open files).')


def test_of_a_workers_error_the_sentence_remains():
    with pytest.raises(MachineError) as caught:
        list(DataLoader(Troubled(), num_workers=1))
    assert str(caught.value) == 'a.jpg: it cannot be read (Too many open files).'


def test_opencvs_want_of_memory_is_the_machines(monkeypatch, voc):
    """The one thing that cannot be run here: no image is that large."""
    error = cv2.error('Insufficient memory')
    error.code = cv2.Error.StsNoMem
    load = CheckedLoadImage()
    monkeypatch.setattr(load, '_load', lambda results: (_ for _ in ()).throw(error))
    with pytest.raises(MachineError, match='Cannot allocate memory'):
        load(dict(img_path=str(voc.add('a'))))


def test_any_bytes_in_a_path(tmp_path, voc):
    content = voc.add('a').read_bytes()
    for name in ('with blank.jpg', 'ünï.jpg', 'a\nb.jpg', '100%.jpg', '{x}.jpg', '#.jpg', '\udcff.jpg'):
        path = tmp_path / name
        path.write_bytes(content)
        assert image_size(str(path)) == (60, 40)
        assert read_image(str(path)).shape == (40, 60, 3)
    with pytest.raises(BrokenImageError):
        read_image(str(tmp_path / 'gone.jpg'))
