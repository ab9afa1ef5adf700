import pickle
import re

import torch

from tests.fixtures.shipped import TOY_DETECTOR


def test_a_checkpoint_is_evaluated_drawn_and_dumped(tools, toy_root, trained, tmp_path):
    code = tools.main(
        'test.py', tools.config, trained / 'iter_8.pth', '--data-root', toy_root, '--work-dir', tmp_path,
        '--out', tmp_path / 'found.pkl', '--report', tmp_path / 'report', '--show-dir', 'pictures',
        *tools.short, 'model.test_cfg.score_thr=0.0', 'model.test_cfg.max_per_img=7',
    )  # fmt: skip
    assert code == 0
    (log,) = tmp_path.glob('*/*.log')
    assert 'voc/mAP_11points: ' in log.read_text()
    found = pickle.loads((tmp_path / 'found.pkl').read_bytes())
    assert [len(image['pred_instances']['scores']) for image in found] == [7] * 4
    page = (tmp_path / 'report/index.html').read_text()
    assert '<h1>ssdlite_mobilenext_toy</h1>' in page
    assert 'AP, IoU .50 to .95' in page  # COCO's, which the config does not ask for
    assert len(list((tmp_path / 'report/detections').glob('comp4_det_test_*.txt'))) == 20
    names = (toy_root / 'VOC2007/ImageSets/Main/test.txt').read_text().split()
    assert sorted(path.stem for path in tmp_path.glob('*/pictures/*.jpg')) == sorted(names)


def test_a_checkpoint_that_does_not_fit_is_refused(tools, toy_root, trained, tmp_path, capsys):
    checkpoint = torch.load(trained / 'iter_8.pth', weights_only=True)
    lost = next(name for name in checkpoint['state_dict'] if name.startswith('bbox_head.'))
    del checkpoint['state_dict'][lost]
    torch.save(checkpoint, tmp_path / 'part.pth')
    arguments = [tools.config, tmp_path / 'part.pth', '--data-root', toy_root, '--work-dir', tmp_path, *tools.short]
    assert tools.main('test.py', *arguments) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f'The checkpoint does not fit the config: 1 parameters would stay untrained, such as {lost}.'
    )


def test_mirror_images_are_merged_without_mirroring_the_ground_truth(tools, toy_root, tmp_path, capsys):
    arguments = [tools.config, TOY_DETECTOR, '--data-root', toy_root, '--work-dir', tmp_path, *tools.short]
    scores = []
    for tta in ((), ('--tta',)):
        assert tools.main('test.py', *arguments[:2], *tta, *arguments[2:]) == 0
        scores.append(float(re.findall(r'voc/mAP_11points: ([\d.]+)', capsys.readouterr().out)[-1]))
    assert scores[0] > 0.5
    assert scores[1] > 0.9 * scores[0]


def test_a_truth_that_would_be_mirrored_is_refused(tools, toy_root, tmp_path, capsys):
    (tmp_path / 'stock.py').write_text(
        f"_base_ = '{tools.config}'\n"
        "tta_pipeline = [*_base_.test_pipeline[:-1], dict(type='TestTimeAug', transforms=[\n"
        "    [dict(type='RandomFlip', prob=1.0), dict(type='RandomFlip', prob=0.0)], [_base_.test_pipeline[-1]]])]\n"
    )
    arguments = ['--tta', '--data-root', toy_root, '--work-dir', tmp_path, *tools.short]
    assert tools.main('test.py', tmp_path / 'stock.py', TOY_DETECTOR, *arguments) == 2
    assert 'The ground truth would be mirrored with the images: put LoadAnnotations' in capsys.readouterr().err
