import pickle

import torch


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
