import os
import time
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def toy_root(toy_root):
    return str(toy_root)


@pytest.fixture
def alive():
    """Tell whether a process is there and no zombie, once it has had a moment to end."""

    def alive(pid):
        for _ in range(100):
            try:
                state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
            except OSError:
                return False
            if state == 'Z' and pid != os.getpid():
                return False
            time.sleep(0.02)
        return True

    return alive
