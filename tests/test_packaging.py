"""The project as others get it: built and installed by pip into a fresh environment that has MMDetection already."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
SOURCES = (
    'setup.py',
    'pyproject.toml',
    'MANIFEST.in',
    'LICENSE',
    'README.md',
    'mobilenext.py',
    'model-index.yml',
    'mobilenext_det',
    *(SHIPPED := ('checkpoints', 'configs', 'tools', 'requirements')),
)

# Reads a config of another project before anything of ours is imported, as stock tools/train.py does.
PROBE = """
import json, sys
from importlib import metadata
from pathlib import Path

from mmengine.config import Config

config = Config.fromfile(sys.argv[1])
from mmdet.apis import init_detector

import mobilenext_det

model = init_detector(config, device='cpu')
print(json.dumps({
    'package': mobilenext_det.__file__,
    'version': metadata.version('mobilenext_det'),
    'backbone': type(model.backbone).__module__,
    'classes': model.bbox_head.num_classes,
    'mim': sorted(p.name for p in (Path(mobilenext_det.__file__).parent / '.mim').iterdir()),
}))
"""
OUTSIDE = """
_base_ = __import__('mobilenext_det').config_path('ssdlite_mobilenext_voc.py')
model = dict(bbox_head=dict(num_classes=3))
"""


def run(*command: str | Path, **options) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('PIP_', 'PYTHON'))}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, **options)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def copy_sources(folder: Path) -> Path:
    """Copy what a clone holds, so that building leaves nothing in the checkout."""
    folder.mkdir()
    for name in SOURCES:
        source = REPO / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns('.mim', '__pycache__'))
        else:
            shutil.copy(source, folder)
    return folder


def fresh_environment(folder: Path) -> Path:
    """Make an environment that sees every installed package but ours, and return its interpreter."""
    stack = folder / 'stack'
    stack.mkdir(parents=True)
    for entry in Path(sysconfig.get_path('purelib')).iterdir():
        if 'mobilenext_det' not in entry.name:
            (stack / entry.name).symlink_to(entry)
    venv.create(folder / 'venv', symlinks=True)
    python = folder / 'venv' / 'bin' / 'python'
    own = Path(run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))').strip())
    (own / 'stack.pth').write_text(f'{stack}\n')
    return python


def pip(python: Path, *arguments: str | Path) -> str:
    """Run pip for `python`, offline: a requirement that is not there already is an error."""
    return run(sys.executable, '-m', 'pip', '--python', python, *arguments, '--no-index', '--no-build-isolation')


def installed(python: Path) -> dict[str, str]:
    """Return where and in which version each distribution is installed."""
    code = 'import json; from importlib.metadata import distributions as all_of; '
    code += 'print(json.dumps({d.metadata["Name"].replace("-", "_"): f"{d.version} {d._path}" for d in all_of()}))'
    return json.loads(run(python, '-c', code))


def install_and_probe(folder: Path, *what: str | Path) -> dict:
    """Install with dependencies, see that pip touched nothing else, and use the package from another project."""
    python = fresh_environment(folder / 'environment')
    before = installed(python)
    assert {'torch', 'torchvision', 'mmcv', 'mmengine', 'mmdet'} <= before.keys()
    pip(python, 'install', *what)
    after = installed(python)
    assert after.keys() - before.keys() == {'mobilenext_det'}
    assert before.items() <= after.items()
    (folder / 'outside.py').write_text(OUTSIDE)
    *_, report = run(python, '-c', PROBE, folder / 'outside.py', cwd=folder).splitlines()
    return json.loads(report)


def build_wheel(source: Path, folder: Path) -> Path:
    pip(Path(sys.executable), 'wheel', '--no-deps', '--wheel-dir', folder, source)
    (wheel,) = folder.glob('*.whl')
    return wheel


def files_to_ship() -> set[str]:
    files = {'model-index.yml'}
    for name in SHIPPED:
        files |= {str(p.relative_to(REPO)) for p in (REPO / name).rglob('*') if p.is_file() and p.suffix != '.pyc'}
    return files


def test_wheel_in_a_fresh_environment(tmp_path):
    wheel = build_wheel(copy_sources(tmp_path / 'source'), tmp_path / 'wheels')
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith('.dist-info/METADATA'))
    # Not a word of torch, mmcv, mmengine, mmdet, nor of opencv, which comes in four flavours.
    required = {line.split(': ')[1] for line in metadata.splitlines() if line.startswith('Requires-Dist: ')}
    extra = {line.split(';')[0] for line in required if line.endswith('; extra == "deploy"')}
    assert extra == {'executorch==1.2.0', 'gradio', 'onnx', 'onnxruntime', 'onnxscript'}
    assert {line.split(';')[0] for line in required if line.endswith('; extra == "docs"')} == {
        'ipykernel',
        'mkdocs-material',
        'mkdocstrings[python]',
        'nbclient',
    }
    always = {line for line in required if ';' not in line}
    assert always == {
        'jinja2',
        'numpy',
        'pillow',
        'pooch',
        'pycocotools',
        'rich',
        'setuptools<81',
        'tensorboard',
        'tqdm',
    }
    assert {'mobilenext_det/display/templates/page.css', 'mobilenext_det/display/templates/page.html'} <= set(names)
    _, _, readme = metadata.partition('\n\n')
    assert readme.startswith('# mobilenext_det')
    assert '](docs/' not in readme  # links that would be dead where a wheel is shown
    shipped = {name.removeprefix('mobilenext_det/.mim/') for name in names if '/.mim/' in name}
    assert shipped == files_to_ship()
    assert {name.split('/')[0] for name in names} == {
        'mobilenext.py',
        'mobilenext_det',
        f'{wheel.name.removesuffix("-py3-none-any.whl")}.dist-info',
    }

    report = install_and_probe(tmp_path, wheel)
    assert Path(report['package']).is_relative_to(tmp_path / 'environment' / 'venv')
    assert wheel.name == f'mobilenext_det-{report["version"]}-py3-none-any.whl'
    assert report['backbone'] == 'mobilenext_det.models.mobilenext'
    assert report['classes'] == 3
    assert report['mim'] == ['checkpoints', 'configs', 'model-index.yml', 'requirements', 'tools']
    help_text = run(tmp_path / 'environment' / 'venv' / 'bin' / 'mobilenext', '--help', cwd=tmp_path)
    assert '\n  train ' in help_text and '\n  benchmark predict ' in help_text


def test_editable_installation_in_a_fresh_environment(tmp_path):
    source = copy_sources(tmp_path / 'source')
    report = install_and_probe(tmp_path, '--editable', source)
    assert Path(report['package']).parent == source / 'mobilenext_det'
    assert report['classes'] == 3
    assert report['mim'] == ['checkpoints', 'configs', 'model-index.yml', 'requirements', 'tools']
    # An edited config is seen at once.
    assert (source / 'mobilenext_det' / '.mim' / 'configs').resolve() == source / 'configs'


def test_source_distribution_builds_the_same_wheel(tmp_path):
    source = copy_sources(tmp_path / 'source')
    run(sys.executable, 'setup.py', '--quiet', 'sdist', '--dist-dir', tmp_path, cwd=source)
    (archive,) = tmp_path.glob('*.tar.gz')
    with tarfile.open(archive) as tar:
        assert not [name for name in tar.getnames() if '.mim' in name]
    with zipfile.ZipFile(build_wheel(archive, tmp_path / 'from_archive')) as wheel:
        names = wheel.namelist()
    with zipfile.ZipFile(build_wheel(source, tmp_path / 'from_source')) as wheel:
        assert names == wheel.namelist()


def test_without_symbolic_links_the_files_are_copied_and_refreshed(tmp_path):
    source = copy_sources(tmp_path / 'source')
    # Windows without developer mode refuses os.symlink in this way.
    code = 'import os, runpy, sys\ndef refuse(*_, **__): raise OSError\nos.symlink = refuse\n'
    code += 'sys.argv = ["setup.py", "--quiet", "egg_info"]; runpy.run_path("setup.py", run_name="__main__")'
    copied = source / 'mobilenext_det' / '.mim' / 'configs' / 'new.py'
    for text in ('a = 1\n', 'a = 2\n'):
        (source / 'configs' / 'new.py').write_text(text)
        run(sys.executable, '-c', code, cwd=source)
        assert copied.read_text() == text
    assert copied.resolve() == copied
