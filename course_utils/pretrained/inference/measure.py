"""What a model costs on this machine: time and memory of a forward pass, and of one training step."""

from __future__ import annotations

import copy
import statistics
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from course_utils.errors import CourseError, or_none
from course_utils.pretrained.data.batches import check_count, device_of, run
from course_utils.pretrained.inference.precision import choose_precision, computing_in
from course_utils.pretrained.models.freezing import in_eval_mode
from course_utils.pretrained.models.heads import count_parameters, need_module, whole_number
from course_utils.pretrained.models.libraries import MIB, weights_of
from course_utils.pretrained.models.loading import load_model

# A forward pass ---------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Latency:
    """Seconds of one forward pass of `batch` pictures: the median, and the middle half of the runs."""

    batch: int
    median: float
    lower: float      # quartiles
    upper: float

    @property
    def images_per_second(self) -> float:
        return self.batch / self.median


@dataclass(frozen=True, repr=False)
class Measurement:
    """What a model costs, on the machine that `machine` describes."""

    name: str
    size: int                          # pixels of a picture, height == width
    parameters: int
    multiply_adds: int                 # of one picture: what torchvision and most papers call its "GFLOPs"
    flops: int                         # single operations, as torch counts them: two for each multiply–add
    activations_mib: float             # most that layers' outputs take at one time, for one picture
    file_mib: float                    # parameters and buffers as they are saved
    latencies: tuple[Latency, ...]
    machine: str
    repeats: int

    def __repr__(self) -> str:
        times = [f"batch {t.batch:>3}: {1e3 * t.median:8.1f} ms (middle half of {self.repeats} runs: "
                 f"{1e3 * t.lower:.1f} to {1e3 * t.upper:.1f}), {t.images_per_second:.1f} pictures a second"
                 for t in self.latencies]
        return "\n  ".join([
            f"{self.name}, pictures of {self.size} × {self.size}",
            f"{self.parameters / 1e6:.2f} M parameters, {self.file_mib:.1f} MiB as a file",
            f"{self.multiply_adds / 1e9:.3f} G multiply–adds a picture: {self.flops / 1e9:.3f} G operations",
            f"{self.activations_mib:.1f} MiB of activations at most at one time, for one picture; training "
            "keeps more: step_cost", *times, f"on {self.machine}"])


def measure(model_or_name: nn.Module | str, *, size: int | None = None,
            batch_sizes: Sequence[int] | int = (1, 32), repeats: int = 10, warmup: int = 2,
            precision: str = "float32") -> Measurement:
    """Time forward passes of a model on this machine, and count what does not depend on the machine.

    A model is left as it was found. Interrupting the kernel ends the measuring.

    Args:
        model_or_name: a model, on the device it is on; or a name as for `load_model`: then the architecture
            is built with random weights, without a download. Times do not depend on the values.
        size: pixels of the pictures; None is what the weights were trained for.
        batch_sizes: pictures in one forward pass.
        repeats, warmup: runs that are timed, and runs before them that are not.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the device computes in it.
    Raises:
        CourseError: the model cannot take pictures of that size, or its size is not known.
    """
    by_name = isinstance(model_or_name, str)
    model = load_model(model_or_name, random_init=True) if by_name else need_module(model_or_name, "measure")
    weights = None if size else or_none(weights_of, model)
    if size is None and weights is None:
        raise CourseError(f"Nothing is known about the weights inside this {type(model).__name__}, so "
                          "measure must be told the size of its pictures: measure(model, size=224)")
    size = weights.input_size if size is None else size
    batch_sizes = batch_sizes if whole_number(batch_sizes) is None else (batch_sizes,)
    for what, number in [("size", size), ("repeats", repeats), ("warmup", warmup),
                         *(("batch size", batch) for batch in batch_sizes)]:
        check_count(what, number)
    device = device_of(model)
    precision = choose_precision(precision, device)
    known = getattr(model, "course_weights", None)
    with in_eval_mode(model), torch.inference_mode():
        operations, peak = count(model, _noise(1, size, device))
        with computing_in(precision, model, device):
            latencies = tuple(_latency(model, _noise(batch, size, device), repeats, warmup)
                              for batch in batch_sizes)
    return Measurement(
        name=model_or_name if by_name else known.name if known else type(model).__name__, size=size,
        parameters=count_parameters(model), multiply_adds=operations // 2, flops=operations,
        activations_mib=peak / MIB, latencies=latencies, repeats=repeats, machine=_machine(device, precision),
        file_mib=sum(t.numel() * t.element_size() for t in model.state_dict().values()) / MIB)


def _noise(batch: int, size: int, device: torch.device) -> Tensor:
    pixels = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0))
    return pixels.to(device, memory_format=torch.channels_last)


def _latency(model: nn.Module, pixels: Tensor, repeats: int, warmup: int) -> Latency:
    seconds = []
    for _ in range(warmup + repeats):
        start = time.perf_counter()
        run(model, pixels)
        _wait_for(pixels.device)
        seconds.append(time.perf_counter() - start)
    lower, median, upper = np.percentile(seconds[warmup:], (25, 50, 75)).tolist()
    return Latency(len(pixels), median, lower, upper)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)          # otherwise only the asking would be timed


def _machine(device: torch.device, precision: str) -> str:
    name = (torch.cuda.get_device_name(device) if device.type == "cuda" else
            f"{torch.backends.cpu.get_cpu_capability()} processor, threads: {torch.get_num_threads()}")
    return f"{name}, {precision}, torch {torch.__version__}"


def count(model: nn.Module, pixels: Tensor) -> tuple[int, int]:
    """Single operations of one forward pass, and the most bytes that its tensors take at one time.

    Operations are those of convolutions, linear layers and attention. Run it in eval and inference mode.
    """
    own = [pixels, *model.parameters(), *model.buffers()]
    fast = torch.backends.mha.get_fastpath_enabled()
    # Fast, nn.MultiheadAttention is one operation, whose inside no counter sees.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with FlopCounterMode(display=False) as counter, _Living(own) as living:
            run(model, pixels)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return counter.get_total_flops(), living.most


class _Living(TorchDispatchMode):
    """Bytes of the tensors that operations gave and that somebody still holds; `most` is their maximum."""

    def __init__(self, known: Iterable[Tensor]):
        super().__init__()
        self.now = self.most = 0
        self.known = {tensor.untyped_storage().data_ptr() for tensor in known}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        given = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(given):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        return given

    def _add(self, storage: torch.UntypedStorage) -> None:
        address, size = storage.data_ptr(), storage.nbytes()
        if address not in self.known:           # else a view, or changed in place
            self.known.add(address)
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._remove, address, size)

    def _remove(self, address: int, size: int) -> None:
        self.known.discard(address)
        self.now -= size


# A training step --------------------------------------------------------------------------------------

@dataclass(frozen=True)
class StepCost:
    """The price of one training step."""

    learning: int          # parameters that learn
    seconds: float         # median of the repeats: forward, backward, Adam's step
    kept_mib: float        # activations that autograd keeps from forward to backward
    state_mib: float       # gradients and Adam's two moments


def step_cost(model: nn.Module, images: Tensor, labels: Tensor, *, repeats: int = 3) -> StepCost:
    """Time one training step of `model` as it is frozen now, and count the memory it holds on to.

    A copy takes the step: the model itself stays as it is.

    Args:
        images: float32, (N, 3, H, W), prepared for the model.
        labels: int64, (N,).
        repeats: timed steps after one warm-up; the median is reported.
    Raises:
        CourseError: no parameter of the model learns, or repeats is no whole number from 1.
    """
    trial = copy.deepcopy(need_module(model, "step_cost"))
    check_count("repeats", repeats)
    learning = [p for p in trial.parameters() if p.requires_grad]
    if not learning:
        raise CourseError("step_cost needs something that learns, but every parameter is frozen. "
                          "Type: unfreeze(model.get_submodule(find_head(model)))")
    optimizer = torch.optim.Adam(learning)
    kept = _kept_bytes(trial, images)
    seconds = [_one_step(trial, optimizer, images, labels) for _ in range(repeats + 1)][1:]
    bytes_learning = sum(p.numel() * p.element_size() for p in learning)
    return StepCost(learning=sum(p.numel() for p in learning), seconds=statistics.median(seconds),
                    kept_mib=kept / MIB, state_mib=3 * bytes_learning / MIB)


def _one_step(model: nn.Module, optimizer, images: Tensor, labels: Tensor) -> float:
    start = time.perf_counter()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    _wait_for(images.device)
    return time.perf_counter() - start


def _kept_bytes(model: nn.Module, images: Tensor) -> int:
    """Bytes of activations saved for backward; each storage once, the parameters themselves left out."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    sizes: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        scores = model(images)          # held until counted, so that no storage is freed and used again
    total = sum(sizes.values())
    del scores
    return total
