"""Real processes with children of their own are paused, measured and ended."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mobilenext_det.speed.processes import ProcessGroup, peak_mib

PROCESSES = Path(__file__).parents[2] / 'mobilenext_det' / 'speed' / 'processes.py'
# A process and a child, both counting in files until they are ended.
COUNTING = """
import os, sys, time
folder = sys.argv[1]
name = 'parent' if os.fork() else 'child'
memory = bytearray(50 * 2**20)
with open(f'{folder}/{name}.pid', 'w') as file:
    file.write(str(os.getpid()))
while True:
    with open(f'{folder}/{name}', 'a') as file:
        file.write('.')
    time.sleep(0.01)
"""


def group(folder):
    return ProcessGroup([sys.executable, '-c', COUNTING, str(folder)], folder / 'log')


def counts(folder):
    return [(folder / name).stat().st_size for name in ('parent', 'child')]


def until(reached):
    while not reached():
        time.sleep(0.02)


def started(folder):
    """Both have begun to count; return their numbers."""
    until(lambda: (folder / 'parent').exists() and (folder / 'child').exists())
    return [int((folder / f'{name}.pid').read_text()) for name in ('parent', 'child')]


def test_a_pause_stops_the_children_too_and_nothing_is_lost(tmp_path):
    with closing(group(tmp_path)) as running:
        started(tmp_path)
        running.pause()
        time.sleep(0.1)
        before = counts(tmp_path)
        time.sleep(0.2)
        assert counts(tmp_path) == before
        running.resume()
        until(lambda: all(now > then for now, then in zip(counts(tmp_path), before, strict=True)))
        assert running.poll() is None


def test_memory_is_that_of_the_process_and_of_its_children(tmp_path):
    with closing(group(tmp_path)) as running:
        parent, child = started(tmp_path)
        memory = running.memory()
        assert memory.main == peak_mib(parent) > 50
        assert memory.others == peak_mib(child) > 50
        assert memory.total == memory.main + memory.others


def test_what_is_paused_is_ended(tmp_path, alive):
    running = group(tmp_path)
    members = started(tmp_path)
    running.pause()
    running.close()
    assert not any(map(alive, members))
    assert peak_mib(members[0]) == 0


def test_a_child_that_left_the_group_is_ended(tmp_path, alive):
    leaving = "import subprocess, sys; subprocess.run(['sleep', '60'], start_new_session=True)"
    running = ProcessGroup([sys.executable, '-c', leaving], tmp_path / 'log')
    until(lambda: len(running._members()) == 2)
    members = running._members()
    running.close()
    assert not any(map(alive, members))


@pytest.mark.parametrize('wrapper', [[], ['nohup']], ids=['alone', 'nohup'])
def test_nothing_outlives_a_benchmark_that_is_killed(wrapper, tmp_path, alive):
    """Neither what was running nor what was paused, workers included."""
    running, paused = tmp_path / 'running', tmp_path / 'paused'
    # The module by itself: importing its package takes longer than all the rest.
    code = f"""
import sys, time
from pathlib import Path
sys.path[:0] = [{str(PROCESSES.parent)!r}]
from processes import ProcessGroup
for name in ('paused', 'running'):
    folder = Path(sys.argv[1], name)
    folder.mkdir()
    held = ProcessGroup([sys.executable, '-c', sys.argv[2], str(folder)], folder / 'log')
    while not ((folder / 'parent').exists() and (folder / 'child').exists()):
        time.sleep(0.02)
    if name == 'paused':
        held.pause()
print('ready', flush=True)
time.sleep(60)
"""
    command = [*wrapper, sys.executable, '-c', code, str(tmp_path), COUNTING]
    benchmark = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert benchmark.stdout.readline() == 'ready\n'
    parents = [started(folder)[0] for folder in (running, paused)]
    child = started(paused)[1]
    benchmark.send_signal(signal.SIGKILL)
    benchmark.wait()
    benchmark.stdout.close()
    until = time.monotonic() + 20  # the kernel's signals take their time on a busy machine
    while (left := [pid for pid in (*parents, child) if alive(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(started(running)[1], signal.SIGKILL)  # a loader's worker notices by itself that its parent is gone
    assert left == []


@pytest.mark.parametrize(
    ('script', 'last'),
    [
        ('echo first; echo " last " >&2; echo', 'last'),
        ('echo last; echo "import time:   1 |   2 | tabulate"', 'last'),
        ('', 'it said nothing'),
    ],
)
def test_the_last_words_are_kept(script, last, tmp_path):
    with closing(ProcessGroup(['sh', '-c', f'{script}\nexit 3'], tmp_path / 'log')) as ended:
        until(lambda: ended.poll() is not None)
        assert ended.poll() == 3
        assert ended.last_line() == last
