def test_draws_a_real_run(tools, trained, tmp_path):
    result = tools('analysis/curves.py', trained, '--out', tmp_path)
    assert result.returncode == 0, result.stderr
    assert 'after 8 iterations' in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == {f'{trained.name}.json', 'curves.png'}


def test_what_is_missing_is_said_in_a_sentence(tools, tmp_path):
    assert tools('analysis/curves.py', tmp_path, '--out', tmp_path / 'out').returncode == 2
