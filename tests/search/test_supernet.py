"""The supernet: weighted sums, its equality with derived cells, and one step of the search."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from mobilenext_det.errors import UsageError
from mobilenext_det.search import BilevelOptimWrapperConstructor, Supernet
from mobilenext_det.search.cells import CellPlan
from mobilenext_det.search.genotype import Edge
from mobilenext_det.search.mixed import MixedOperation, PartialMixedOperation
from mobilenext_det.search.network import DerivedCell
from mobilenext_det.search.operations import SPACES, operations_of
from mobilenext_det.search.supernet import SOURCES, MixedCell
from tests.search.plain import plain_operation, randomise

OPERATIONS = operations_of('sandglass')


def plain_mixed(edge, x, weights, stride):
    """The weighted sum of a second implementation; poolings are normalised by their batch norms' statistics."""
    outputs = [torch.zeros_like(x[..., ::stride, ::stride])]
    for name, weight, module in zip(OPERATIONS[1:], weights[1:], edge.operations, strict=True):
        output = plain_operation(name, module, x, stride)
        if 'pool' in name:
            norm = module[1]
            output = (output - norm.running_mean[:, None, None]) / (norm.running_var + norm.eps).sqrt()[:, None, None]
        outputs.append(weight * output)
    return sum(outputs)


@pytest.mark.parametrize('stride', [1, 2])
def test_an_edge_is_the_weighted_sum_of_its_operations(stride):
    edge = MixedOperation(OPERATIONS, 6, stride).eval()
    randomise(edge)
    x, weights = torch.randn(2, 6, 8, 8), torch.rand(len(OPERATIONS))
    torch.testing.assert_close(edge(x, weights), plain_mixed(edge, x, weights, stride), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('stride', [1, 2])
def test_of_partial_channels_the_others_go_past(stride):
    edge = PartialMixedOperation(OPERATIONS, 8, stride, 4).eval()
    randomise(edge)
    x, weights = torch.randn(2, 8, 8, 8), torch.rand(len(OPERATIONS))
    others = x[:, 2:] if stride == 1 else F.max_pool2d(x[:, 2:], 2)
    joined = torch.cat([plain_mixed(edge.mixed, x[:, :2], weights, stride), others], 1)
    # Four groups of two become two of four.
    expected = joined[:, [0, 2, 4, 6, 1, 3, 5, 7]]
    torch.testing.assert_close(edge(x, weights), expected, rtol=1e-4, atol=1e-5)


def one_hot(cell):
    """The weights of all edges for a genotype's cell: `none` where it has no edge."""
    weights = torch.zeros(sum(SOURCES), len(OPERATIONS))
    first = [sum(SOURCES[:node]) for node in range(4)]
    chosen = {first[node] + edge.source: edge.operation for node, edges in enumerate(cell) for edge in edges}
    for edge in range(len(weights)):
        weights[edge, OPERATIONS.index(chosen.get(edge, 'none'))] = 1
    return weights, {place: OPERATIONS.index(name) - 1 for place, name in chosen.items()}


@pytest.mark.parametrize('reduce', [False, True])
def test_with_one_hot_weights_a_cell_is_the_derived_one(reduce, every_operation):
    plan = CellPlan(12, 20, 8, reduce, after_reduction=False)
    mixed, derived = MixedCell(plan, OPERATIONS, 1).eval(), DerivedCell(plan, every_operation).eval()
    weights, chosen = one_hot(every_operation.reduce if reduce else every_operation.normal)
    randomise(mixed.inputs)
    derived.inputs.load_state_dict(mixed.inputs.state_dict(), strict=False)
    places = iter([sum(SOURCES[:node]) + edge.source for node, edges in enumerate(derived.nodes) for edge in edges])
    for operation, place in zip(derived.edges, places, strict=True):
        source = mixed.edges[place].operations[chosen[place]]
        if not isinstance(operation, nn.MaxPool2d | nn.AvgPool2d):
            randomise(source)
            operation.load_state_dict(source.state_dict(), strict=False)
    states = torch.randn(2, 12, 8, 8), torch.randn(2, 20, 8, 8)
    torch.testing.assert_close(mixed(states, weights, torch.ones(sum(SOURCES))), derived(states), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('partial', [1, 4])
def test_the_architectures_gradient_is_that_of_finite_differences(partial):
    torch.manual_seed(0)
    net = Supernet('sandglass', channels=4, cells=3, partial=partial).double().eval()
    randomise(net)  # else all is near a kink of an activation
    images, labels = torch.randn(4, 3, 8, 8).double(), torch.tensor([1, 5, 2, 9])

    def loss():
        return F.cross_entropy(net.head(net.features(images)), labels)

    parameters = list(net.architecture.values())
    gradients = torch.autograd.grad(loss(), parameters)
    for _ in range(3):
        directions = [torch.randn_like(parameter) for parameter in parameters]
        values = []
        for step in (1e-7, -2e-7):
            with torch.no_grad():
                for parameter, direction in zip(parameters, directions, strict=True):
                    parameter += step * direction
                values.append(loss())
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter += 1e-7 * direction
        expected = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
        torch.testing.assert_close((values[0] - values[1]) / 2e-7, expected, rtol=1e-5, atol=1e-8)


def optimisers(net, **architecture):
    return BilevelOptimWrapperConstructor(
        dict(
            weights=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.5)),
            architecture=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1.0), **architecture),
        )
    )(net)


def test_each_half_of_a_batch_trains_its_own_parameters():
    """Against steps by hand: the architecture's first, then the weights' with the new architecture."""
    torch.manual_seed(0)
    net, twin = (Supernet('darts', channels=4, cells=3) for _ in range(2))
    twin.load_state_dict(net.state_dict())
    images, labels = torch.randn(8, 3, 8, 8), torch.randint(10, (8,))
    losses = net.train_step(dict(inputs=images, data_samples=labels), optimisers(net))

    own = dict(twin.named_parameters())
    expected = {}
    for name, place, rate in (('architecture_loss', 1, 1.0), ('loss', 0, 0.5)):
        chosen = {key: p for key, p in own.items() if key.startswith('architecture') == (place == 1)}
        loss = F.cross_entropy(twin(images[place::2]), labels[place::2])
        with torch.no_grad():
            for parameter, gradient in zip(chosen.values(), torch.autograd.grad(loss, chosen.values()), strict=True):
                parameter -= rate * gradient
        expected[name] = loss.detach()
    torch.testing.assert_close(losses, expected)
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(parameter, own[name], msg=name)
        assert parameter.grad is None


def test_an_architecture_that_is_held_still_costs_no_step():
    net = Supernet('darts', channels=4, cells=3)
    net.architecture_learns = False
    before = {name: value.clone() for name, value in net.architecture.items()}
    losses = net.train_step(
        dict(inputs=torch.randn(4, 3, 8, 8), data_samples=torch.tensor([0, 1, 2, 3])), optimisers(net)
    )
    assert losses.keys() == {'loss'}
    assert all(torch.equal(net.architecture[name], value) for name, value in before.items())


def test_the_optimisers_share_nothing_and_leave_nothing_out():
    net = Supernet('sandglass', channels=4, cells=3, partial=4)
    wrappers = optimisers(net)
    assert isinstance(wrappers, OptimWrapperDict)
    assert all(isinstance(wrapper, OptimWrapper) for wrapper in wrappers.values())
    held = [{id(p) for group in wrapper.param_groups for p in group['params']} for wrapper in wrappers.values()]
    assert held[0] | held[1] == {id(p) for p in net.parameters()}
    assert held[1] == {id(p) for p in net.architecture.values()}
    assert not held[0] & held[1]


def test_the_genotype_keeps_the_strongest_edges_but_none():
    net = Supernet('sandglass', channels=4, cells=3, partial=4)
    place = {name: index for index, name in enumerate(SPACES['sandglass'])}
    with torch.no_grad():
        for value in net.architecture.values():
            value.zero_()
        normal = net.architecture['normal']
        normal[:, place['none']] = 5
        normal[1, place['sandglass']] = 4  # node 0 reads 1 rather than 0
        normal[2, place['sep_conv_5x5']] = 3  # node 1 reads 0,
        normal[4, place['dil_conv_3x3']] = 2  # and node 0
        # Of node 3's equal edges the two whose weights among the edges are largest.
        net.architecture['normal_edges'][[11, 13]] = 1
    genotype = net.genotype()
    assert genotype.space == 'sandglass'
    assert genotype.normal[0] == (Edge('sandglass', 1), Edge('max_pool_3x3', 0))
    assert genotype.normal[1] == (Edge('sep_conv_5x5', 0), Edge('dil_conv_3x3', 2))
    assert [edge.source for edge in genotype.normal[3]] == [2, 4]
    assert genotype.reduce[3] == (Edge('max_pool_3x3', 0), Edge('max_pool_3x3', 1))


def test_a_batch_of_an_odd_number_is_named():
    net = Supernet('darts', channels=4, cells=3)
    batch = dict(inputs=torch.randn(3, 3, 8, 8), data_samples=torch.tensor([0, 1, 2]))
    with pytest.raises(UsageError, match='3 are an odd number, set train_dataloader.batch_size to an even one'):
        net.train_step(batch, optimisers(net))


@pytest.mark.parametrize('cells', [0, 2])
def test_fewer_cells_than_sizes_are_named(cells):
    with pytest.raises(UsageError, match=f'cells must be 3 or more, one of each size, but is {cells}'):
        Supernet(cells=cells)


def test_channels_that_are_no_multiple_are_named():
    with pytest.raises(UsageError, match='channels=6 must be a multiple of partial=4'):
        Supernet(channels=6, partial=4)
