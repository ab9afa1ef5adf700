"""Batches that travel from a loader's workers to the main process with few open files."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import FUNCTIONS
from torch import Tensor


class PackedBatch(dict):
    """A batch that is pickled with all its tensors of one type as one tensor; unpickled they are views of that.

    Between processes every tensor is a file that stays open until it arrives: boxes and labels of each image alone are
    two files an image, so that a batch of 384 reaches the usual limit of 1,024 (pytorch#973). Nothing changes within a
    process.
    """

    def __reduce__(self) -> tuple:
        """Take the tensors out of what is pickled, and join them."""
        file = io.BytesIO()
        packer = _Packer(file)
        packer.dump(dict(self))
        kinds = {dtype: [t for t in packer.tensors if t.dtype == dtype] for dtype in {t.dtype for t in packer.tensors}}
        joined = {dtype: _join(tensors) for dtype, tensors in kinds.items()}
        return _unpack, (file.getvalue(), joined, [(t.dtype, t.shape) for t in packer.tensors])

    def __copy__(self) -> PackedBatch:
        """Copy like a dict: pinning memory does."""
        return PackedBatch(self)


@FUNCTIONS.register_module()
def packed_collate(samples: Sequence[dict], stack: bool) -> PackedBatch:
    """Make a batch of samples that takes few open files on its way to the main process.

    Args:
        samples: The samples.
        stack: Whether images are stacked, as mmengine's ``default_collate`` does, which takes images of one size; else
            they come as a list, as from ``pseudo_collate``.
    """
    return PackedBatch((default_collate if stack else pseudo_collate)(samples))


def _join(tensors: list[Tensor]) -> Tensor:
    """Join tensors flat; a single one stays as it is, as it may be large."""
    return tensors[0] if len(tensors) == 1 else torch.cat([tensor.reshape(-1) for tensor in tensors])


def _unpack(pickled: bytes, joined: dict[torch.dtype, Tensor], forms: list[tuple[torch.dtype, torch.Size]]) -> Any:
    rest = {dtype: tensor.reshape(-1) for dtype, tensor in joined.items()}
    tensors = []
    for dtype, shape in forms:
        tensors.append(rest[dtype][: shape.numel()].view(shape))
        rest[dtype] = rest[dtype][shape.numel() :]
    return PackedBatch(_Unpacker(io.BytesIO(pickled), tensors).load())


class _Packer(pickle.Pickler):
    """Sets tensors aside and writes their numbers."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.tensors: list[Tensor] = []

    def persistent_id(self, obj: Any) -> int | None:
        """Return the number of a tensor, which is not written then."""
        if type(obj) is not Tensor or obj.layout != torch.strided or obj.device.type != 'cpu':
            return None
        self.tensors.append(obj)
        return len(self.tensors) - 1


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, tensors: list[Tensor]) -> None:
        super().__init__(file)
        self.tensors = tensors

    def persistent_load(self, number: int) -> Tensor:
        """Return the tensor of a number."""
        return self.tensors[number]
