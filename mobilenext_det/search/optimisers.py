"""The two optimisers of a search."""

from __future__ import annotations

from mmdet.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS
from mmengine.optim import OptimWrapper, OptimWrapperDict

from .supernet import Supernet


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class BilevelOptimWrapperConstructor:
    """Build one optimiser for a supernet's architecture parameters and one for its weights.

    Args:
        optim_wrapper_cfg: The wrappers' configs, `weights` and `architecture`.
        paramwise_cfg: Not used; mmengine hands it to every constructor.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        self.configs = {name: optim_wrapper_cfg[name] for name in ('weights', 'architecture')}

    def __call__(self, model: Supernet) -> OptimWrapperDict:
        """Build them.

        Args:
            model: The supernet.
        """
        architecture = list(model.architecture.values())
        chosen = {id(parameter) for parameter in architecture}
        weights = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
        parameters = dict(weights=weights, architecture=architecture)
        return OptimWrapperDict(**{name: _build(config, parameters[name]) for name, config in self.configs.items()})


def _build(config: dict, parameters: list) -> OptimWrapper:
    optimizer = OPTIMIZERS.build(dict(config['optimizer'], params=parameters))
    return OPTIM_WRAPPERS.build(dict(config, optimizer=optimizer))
