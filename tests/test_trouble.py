import errno
import os

import pytest

from mobilenext import exit_code
from mobilenext_det.files import write_atomically
from mobilenext_det.trouble import trouble

END = 'What was saved is whole, and `--resume` goes on from the last checkpoint.'


def test_a_full_disk_is_named_with_the_file(tmp_path, capsys):
    """/dev/full is one."""
    os.symlink('/dev/full', tmp_path / 'iter_4.pth.tmp')
    assert exit_code(lambda: write_atomically(b'weights', tmp_path / 'iter_4.pth')) == 2
    said = f'{tmp_path}/iter_4.pth: No space left on device; make room, or write to another folder. {END}\n'
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ('error', 'said'),
    [
        (
            PermissionError(errno.EROFS, 'Read-only file system', 'w'),
            'w: Read-only file system; name a folder in which',
        ),
        (OSError(errno.EMFILE, 'Too many open files', 'a.jpg'), 'a.jpg: Too many open files; allow more open files'),
        (MemoryError(), 'The memory is used up; take fewer workers'),
        (RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. '), 'A process that loads images was'),
        (RuntimeError('DataLoader worker (pid(s) 7, 8) exited unexpectedly'), 'A process that loads images was killed'),
        (RuntimeError('[gloo/transport/tcp/pair.cc:547] Connection closed by peer [::1]:9'), 'Another process of this'),
    ],
)
def test_each_trouble_has_its_remedy(error, said):
    assert trouble(error).startswith(said)
    assert trouble(error).endswith(END)


@pytest.mark.parametrize('error', [ValueError('no'), FileNotFoundError(errno.ENOENT, 'No', 'x'), RuntimeError('size')])
def test_what_is_no_trouble_of_the_machine_stays_an_error(error):
    assert trouble(error) is None
    with pytest.raises(type(error)):
        exit_code(lambda: (_ for _ in ()).throw(error))
