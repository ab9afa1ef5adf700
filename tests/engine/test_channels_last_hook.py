import torch


def test_weights_and_activations_are_channels_last(tiny_runner):
    runner = tiny_runner(custom_hooks=[dict(type='ChannelsLastHook')])
    formats = []
    runner.model.norm.register_forward_hook(
        lambda module, inputs, output: formats.append(output.is_contiguous(memory_format=torch.channels_last))
    )
    runner.train()
    assert formats
    assert all(formats)
    assert runner.model.conv.weight.is_contiguous(memory_format=torch.channels_last)


def test_the_result_is_that_of_the_usual_format(tiny_runner, tmp_path):
    runs = [
        tiny_runner(tmp_path / name, custom_hooks=hooks)
        for name, hooks in (('usual', []), ('last', [dict(type='ChannelsLastHook')]))
    ]
    for runner in runs:
        runner.train()
    usual, last = (runner.model.state_dict() for runner in runs)
    assert usual.keys() == last.keys()
    for name in usual:
        torch.testing.assert_close(last[name], usual[name], rtol=1e-4, atol=1e-5)
