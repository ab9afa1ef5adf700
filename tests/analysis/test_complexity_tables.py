"""The table beside the paper's: every integer of it, and that the documentation shows what the command prints."""

from pathlib import Path

import pytest

from mobilenext_det.analysis.complexity import Count
from mobilenext_det.analysis.complexity_tables import config_table, count_backbone, paper_table

DOCS = Path(__file__).parents[2] / 'docs' / 'analysis.md'

# Width: parameters and multiply-adds at 224, both with the classifier too, and multiply-adds at 320 as a backbone.
MOBILENEXT = {
    0.35: (632976, 73861032, 1913976, 75141032, 150736800),
    0.5: (871304, 101976448, 2152304, 103256448, 208115200),
    0.75: (1485168, 206646720, 2766168, 207926720, 421728000),
    1.0: (2254416, 310062592, 3535416, 311342592, 632780800),
    1.4: (4333168, 586527256, 6126168, 588319256, 1196994400),
}
MOBILENETV2 = {
    0.35: (396128, 58005808, 1677128, 59285808),
    0.5: (687680, 95851840, 1968680, 97131840),
    0.75: (1355424, 207789792, 2636424, 209069792),
    1.0: (2223872, 299494272, 3504872, 300774272),
    1.4: (4315776, 580403824, 6108776, 582195824),
}
MISMATCHES = {
    0.35: 'params +0.1M',
    0.5: 'params +0.1M, MAdds -10M',
    0.75: 'params +0.3M',
    1.0: 'MAdds +10M',
    1.4: 'none',
}


@pytest.fixture(scope='module')
def printed():
    return paper_table()


def test_every_cell(printed):
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in printed.splitlines()[2:]]
    counts = {(row[0], float(row[1])): tuple(int(cell.replace(',', '')) for cell in row[2:7]) for row in rows}
    assert len(rows) == 10
    for width, (params, madds, with_fc, madds_with_fc, madds_320) in MOBILENEXT.items():
        assert counts['MobileNeXt', width] == (params, madds, madds_320, with_fc, madds_with_fc)
    for width, (params, madds, with_fc, madds_with_fc) in MOBILENETV2.items():
        found = counts['MobileNetV2', width]
        assert (*found[:2], *found[3:]) == (params, madds, with_fc, madds_with_fc)
    assert {float(row[1]): row[8] for row in rows[:5]} == MISMATCHES
    assert [row[7] for row in rows[:5]] == ['1.8M / 80M', '2.1M / 110M', '2.5M / 210M', '3.5M / 300M', '6.1M / 590M']


def test_the_documentation_shows_it(printed):
    assert printed in DOCS.read_text()


def test_mobilenetv2_at_320():
    assert count_backbone('MobileNetV2', 1.0) == (2223872, 299494272, 611212800, 1280)


def test_configs_with_different_parts_share_a_table():
    first = dict(backbone=Count(1000, 2), total=Count(1000, 2))
    second = dict(encoder=Count(3, 4), total=Count(3, 4))
    assert config_table(dict(a=first, b=second)).splitlines() == [
        '| config | backbone params | encoder params | total params | backbone MAdds | encoder MAdds | total MAdds |',
        '|--------|-----------------|----------------|--------------|----------------|---------------|-------------|',
        '| a      |           1,000 |              0 |        1,000 |              2 |             0 |           2 |',
        '| b      |               0 |              3 |            3 |              0 |             4 |           4 |',
    ]
