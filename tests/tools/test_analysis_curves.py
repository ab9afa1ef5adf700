"""The tool on a real run."""


def test_draws_a_real_run(tools, trained, tmp_path, capsys):
    assert tools.main('analysis/curves.py', trained, '--out', tmp_path) == 0
    assert 'after 8 iterations' in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {f'{trained.name}.json', 'curves.png'}


def test_what_is_missing_is_said_in_a_sentence(tools, tmp_path, capsys):
    assert tools.main('analysis/curves.py', tmp_path, '--out', tmp_path / 'out') == 2
    assert 'holds no log of a training' in capsys.readouterr().err
