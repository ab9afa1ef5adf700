"""The page as a person has it: the real command, and a real browser that uploads pictures to it."""

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import urlopen

import cv2
import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from mobilenext_det.datasets.toy_scenes import draw_scene
from mobilenext_det.deploy import web
from mobilenext_det.deploy.formats import open_exported
from mobilenext_det.deploy.runtime import Detector
from mobilenext_det.display.drawing import draw_detections, legible_zoom

PICTURE = 'img[src*="/file="]'
PATIENCE = 300  # seconds before a test gives up on a page, however busy the machine is

# Written into every process of the server: the hosts that it connects to, listens on and looks up.
RECORD_HOSTS = """
import os, sys

def record(event, details):
    if event in ('socket.connect', 'socket.bind') and isinstance(details[1], tuple):
        host = details[1][0]
    elif event == 'socket.getaddrinfo':
        host = details[0]
    else:
        return
    with open(os.environ['HOSTS_FILE'], 'a') as file:
        file.write(f'{event} {host}\\n')

sys.addaudithook(record)
"""

BROWSER_ARGUMENTS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--window-size=1280,1000',
)


@pytest.fixture(scope='module')
def detector(onnx_path):
    return Detector(str(onnx_path), threads=1)


def command(*arguments):
    return [sys.executable, '-m', 'mobilenext_det.deploy.web', *map(str, arguments)]


@pytest.fixture
def refused(monkeypatch, capsys):
    """Run the command in this process, where it is to end by itself; return its exit status and what it said."""
    monkeypatch.setenv('no_proxy', '')  # which the command sets

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['web.py', *map(str, arguments)])
        code = web.main()
        said = capsys.readouterr()
        assert said.out == ''
        return code, said.err

    return run


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Server:
    """The command at work: `url` of its page, `port`, the `hosts` it has dealt with and its `complaints`."""

    def __init__(self, model, folder):
        self.port = free_port()
        self._hosts, self._stderr = folder / 'hosts', folder / 'stderr'
        (folder / 'sitecustomize.py').write_text(RECORD_HOSTS)
        environment = dict(
            os.environ,
            PYTHONPATH=str(folder),
            HOSTS_FILE=str(self._hosts),
            GRADIO_TEMP_DIR=str(folder / 'gradio'),
            http_proxy='http://127.0.0.1:9',  # nobody is there: the server must reach itself all the same
        )
        with self._stderr.open('w') as stderr:
            self.process = subprocess.Popen(
                command(model, '--port', self.port, '--threads', 1),
                env=environment,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self.announcement = self.process.stdout.readline()
        self.url = f'http://127.0.0.1:{self.port}/'

    @property
    def hosts(self):
        return set(self._hosts.read_text().splitlines())

    @property
    def complaints(self):
        return self._stderr.read_text()


@contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope='module')
def server(onnx_path, tmp_path_factory):
    server = Server(onnx_path, tmp_path_factory.mktemp('server'))
    with ended(server.process):
        assert server.url in server.announcement, server.complaints
        yield server


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    program, driver = shutil.which('chromium') or shutil.which('google-chrome'), shutil.which('chromedriver')
    if not (program and driver):
        pytest.skip('no browser to drive is on this machine: apt-get install chromium chromium-driver')
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (*BROWSER_ARGUMENTS, f'--user-data-dir={tmp_path_factory.mktemp("browser")}'):
        options.add_argument(argument)
    options.set_capability('goog:loggingPrefs', {'performance': 'ALL'})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        browser.set_page_load_timeout(PATIENCE)
        yield browser
    finally:
        browser.quit()


class Page:
    """What a person sees and does on the page."""

    def __init__(self, browser, url):
        self.browser = browser
        browser.get(url)

    def wait(self, condition):
        return WebDriverWait(self.browser, PATIENCE, poll_frequency=0.2).until(lambda _: condition())

    def wait_for(self, detections):
        rows = [[one['class'], *(f'{value:g}' for value in (one['score'], *one['box']))] for one in detections]
        self.wait(lambda: self.rows == rows)

    def find(self, selector):
        return self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, selector))[0]

    def upload(self, path):
        self.find('input[type=file][accept="image/*"]').send_keys(str(path))

    def set_threshold(self, value):
        self.find('input[type=number]').send_keys(Keys.CONTROL, 'a', Keys.NULL, str(value), Keys.TAB)

    @property
    def text(self):
        return self.browser.find_element(By.TAG_NAME, 'body').text

    @property
    def rows(self):
        return self.browser.execute_script(
            "return [...document.querySelectorAll('[role=row][data-index]')].map("
            "row => [...row.querySelectorAll('[role=gridcell]')].map(cell => cell.textContent.trim()))"
        )

    @property
    def picture(self):
        """The picture that is shown, (H, W, 3), RGB."""
        with urlopen(self.find(PICTURE).get_attribute('src')) as answer:
            return np.array(Image.open(io.BytesIO(answer.read())).convert('RGB'))


@pytest.fixture
def page(browser, server):
    return Page(browser, server.url)


@pytest.fixture
def scene(tmp_path):
    """A toy scene in which several objects are found."""
    path = tmp_path / 'scene.png'
    cv2.imwrite(str(path), draw_scene(0, 'test', 16)[0])
    return path


def test_an_uploaded_picture_gets_the_detectors_boxes_and_a_timing(page, onnx_path, scene, detector):
    image = cv2.imread(str(scene))
    expected = detector(image, 0.3)
    assert len(expected) > 1
    page.upload(scene)
    page.wait_for(expected)

    drawn = draw_detections(image, expected, detector.classes, legible_zoom(image))[..., ::-1]
    shown = page.picture
    assert shown.shape == drawn.shape
    assert np.abs(shown.astype(int) - drawn).mean() < 3  # it was compressed on the way
    height, width = image.shape[:2]
    assert re.search(rf'scene\.png, {width} × {height} pixels: \d+\.\d ms', page.text)
    assert page.browser.title == onnx_path.name
    assert f'{detector.fit.width} × {detector.fit.height}' in page.text
    assert f'{len(detector.classes)} classes: {", ".join(detector.classes)}' in page.text


def test_moving_the_threshold_changes_the_list_of_the_same_run(page, scene, detector):
    image = cv2.imread(str(scene))
    page.upload(scene)
    page.wait_for(detector(image, 0.3))
    timing = page.find('#timing p').text
    best, second, *_ = (one['score'] for one in detector(image, 0.3))
    between = round((best + second) / 2, 2)
    assert second < between < best
    for threshold in (between, 0.1, 1.0):
        page.set_threshold(threshold)
        page.wait_for(detector(image, threshold))
    assert page.find('#timing p').text == timing


def test_a_file_that_is_no_picture_gets_one_sentence_and_the_next_one_its_boxes(
    page, server, scene, detector, tmp_path
):
    image = cv2.imread(str(scene))
    whole = cv2.imencode('.jpg', image)[1].tobytes()
    page.upload(scene)
    page.wait_for(detector(image, 0.3))
    for name, content in {'letter.jpg': b'Dear Sir or Madam', 'half.jpg': whole[: len(whole) // 2]}.items():
        (tmp_path / name).write_bytes(content)
        page.upload(tmp_path / name)
        sentence = f'{name} is no picture that can be read, or it is cut off: choose another.'
        page.wait(lambda sentence=sentence: sentence in page.text)
        page.wait_for([])
        page.wait(lambda: not page.browser.find_elements(By.CSS_SELECTOR, PICTURE))
    page.upload(scene)
    page.wait_for(detector(image, 0.3))
    assert server.complaints == ''


def test_neither_the_page_nor_its_server_calls_another_host(page, server, scene, detector):
    page.upload(scene)
    page.wait_for(detector(cv2.imread(str(scene)), 0.3))
    messages = (json.loads(entry['message'])['message'] for entry in page.browser.get_log('performance'))
    addresses = (
        urlsplit(message['params']['request']['url'])
        for message in messages
        if message['method'] == 'Network.requestWillBeSent'
    )
    asked = {address.netloc for address in addresses if not address.scheme.startswith(('data', 'blob', 'chrome'))}
    assert asked == {f'127.0.0.1:{server.port}'}
    assert server.hosts >= {'socket.bind 127.0.0.1', 'socket.connect 127.0.0.1'}
    assert {line.split()[1] for line in server.hosts} == {'127.0.0.1'}


def test_a_port_that_cannot_be_had_is_named(refused, onnx_path, server):
    for port in (server.port, 70000):
        said = f'Port {port} is taken or not allowed: name another with --port.\n'
        assert refused(onnx_path, '--port', port) == (2, said)


def test_a_model_that_is_missing_or_damaged_is_refused_before_anything_is_served(refused, tmp_path):
    missing, damaged = tmp_path / 'missing.onnx', tmp_path / 'damaged.onnx'
    damaged.write_bytes(b'no model')
    assert refused(missing) == (2, f'There is no model {missing}.\n')
    status, said = refused(damaged)
    assert status == 2
    assert said.startswith(f'{damaged} is no ONNX model that can be run here')
    assert said.count('\n') == 1
    status, said = refused(tmp_path / 'model.pth')
    assert status == 2
    assert 'model.pth is no exported detector: its name must end in .onnx' in said


def test_names_are_no_markup():
    assert web._plain('<b>a|b</b> *x* [y](z) $1 `é_` 猫') == (r'\<b\>a\|b\<\/b\> \*x\* \[y\]\(z\) \$1 \`é\_\` 猫')


def test_help_does_not_wait_for_gradio_or_onnx_runtime():
    code = "import sys, mobilenext_det.deploy.web; print({'gradio', 'onnxruntime', 'onnx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == 'set()\n'


def test_without_a_file_the_detector_that_comes_along_is_exported(tmp_path):
    detector = open_exported(web._export_shipped(str(tmp_path)))
    assert {'person', 'cat', 'tvmonitor'} < set(detector.classes)
