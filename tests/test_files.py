import itertools
import multiprocessing
import os
import random
import resource
import signal
import time

import pytest

from mobilenext_det.files import AtomicBackend, files_below, write_atomically


def test_files_of_linked_folders_are_found_once(tmp_path):
    data, disk = tmp_path / 'data', tmp_path / 'disk'
    (disk / 'b').mkdir(parents=True)
    (disk / 'b' / '1.jpg').touch()
    data.mkdir()
    (data / '2.jpg').touch()
    (data / 'linked').symlink_to(disk)
    (data / 'again').symlink_to(disk)
    (disk / 'b' / 'round').symlink_to(data)
    (data / 'file.jpg').symlink_to(disk / 'b' / '1.jpg')
    for hidden in ('.cache/3.jpg', '__MACOSX/2.jpg', '._2.jpg'):
        (data / hidden).parent.mkdir(exist_ok=True)
        (data / hidden).touch()
    assert [str(path.relative_to(data)) for path in files_below(data)] == ['2.jpg', 'again/b/1.jpg', 'file.jpg']


def write_for_ever(path, started):
    for number in itertools.count():
        write_atomically(b'%x' % (number % 16) * 20_000_000, path)
        started.set()


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    path = tmp_path / 'file'
    fork = multiprocessing.get_context('fork')
    pause = random.Random(0)
    for _ in range(6):
        started = fork.Event()
        writer = fork.Process(target=write_for_ever, args=(path, started))
        writer.start()
        started.wait()
        time.sleep(pause.uniform(0, 0.1))  # wherever this ends is right
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        content = path.read_bytes()
        assert len(content) == 20_000_000
        assert len(set(content)) == 1
    write_atomically(b'new', path)
    assert os.listdir(tmp_path) == ['file']
    assert path.read_bytes() == b'new'


@pytest.fixture
def files_end_at_1000_bytes():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_keeps_the_old_file_and_leaves_no_rest(tmp_path, files_end_at_1000_bytes):
    path = tmp_path / 'file'
    write_atomically(b'old', path)
    with pytest.raises(OSError, match='too large'):
        write_atomically(b'x' * 5000, path)
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['file']


def test_backend_makes_the_folder_and_removes_when_told_to(tmp_path):
    backend, path = AtomicBackend(), tmp_path / 'new' / 'file'
    backend.put(b'content', path)
    backend.remove(path)
    backend.remove(tmp_path / 'never there')
    assert path.read_bytes() == b'content'
    backend.flush_removals()
    assert not path.exists()
    backend.put(b'again', path)
    backend.flush_removals()
    assert path.read_bytes() == b'again'
