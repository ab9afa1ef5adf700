"""Package mobilenext_det, with its configs, weights, tools, requirements and model index in `mobilenext_det/.mim`."""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / 'mobilenext_det'


def fill_mim() -> None:
    """Link what `mim` looks for into `.mim`; copy it where the file system has no links.

    This runs for every command, because an editable installation does not say so in `sys.argv`. A wheel or source
    distribution holds copies, as setuptools follows the links.
    """
    folder = PACKAGE / '.mim'
    folder.mkdir(exist_ok=True)
    for name in ('checkpoints', 'configs', 'tools', 'requirements', 'model-index.yml'):
        link, target = folder / name, Path('..', '..', name)
        if link.is_symlink() and link.readlink() == target:
            continue
        if link.is_dir() and not link.is_symlink():
            shutil.rmtree(link)
        else:
            link.unlink(missing_ok=True)
        try:
            link.symlink_to(target, target_is_directory=(ROOT / name).is_dir())
        except OSError:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, link)


def version() -> str:
    return re.search(r"^__version__ = '(.+)'", (PACKAGE / '__init__.py').read_text(), re.MULTILINE)[1]


def readme() -> str:
    """Return the README with its links in words: an index has none of the files that they lead to."""
    text = (ROOT / 'README.md').read_text()
    text = re.sub(r'^!\[.*\]\(docs/.*\)\n', '', text, flags=re.MULTILINE)
    return re.sub(r'\[([^]]+)\]\((?!https?:)[^)]+\)', r'\1', text)


def requirements(name: str) -> list[str]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


os.chdir(ROOT)
fill_mim()
setup(
    name='mobilenext_det',
    version=version(),
    description='MobileNeXt backbone and SSDLite detector for MMDetection',
    long_description=readme(),
    long_description_content_type='text/markdown',
    project_urls={'Article': 'https://arxiv.org/abs/2007.02269'},
    license='Apache-2.0',
    keywords=['object detection', 'MobileNeXt', 'SSDLite', 'MMDetection', 'Pascal VOC', 'ONNX'],
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Developers',
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
    python_requires='>=3.10',
    install_requires=requirements('runtime'),
    extras_require={name: requirements(name) for name in ('deploy', 'docs')},
    py_modules=['mobilenext'],
    entry_points={'console_scripts': ['mobilenext = mobilenext:main']},
    packages=find_packages(include=['mobilenext_det', 'mobilenext_det.*']),
    package_data={'mobilenext_det': ['.mim/**/*'], 'mobilenext_det.display': ['templates/*']},
    exclude_package_data={'mobilenext_det': ['.mim/**/__pycache__/*']},
)
