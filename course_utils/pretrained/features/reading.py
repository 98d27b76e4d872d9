"""Reading what stands somewhere inside a network, for many pictures: fast, in order, in flat memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import NoReturn

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_utils.errors import BadData, CourseError
from course_utils.pretrained.data.batches import Batch, checked_batches, device_of, image_batches, run
from course_utils.pretrained.data.images import Images
from course_utils.pretrained.data.preparing import Preparation
from course_utils.pretrained.features.cache import Rows, stored
from course_utils.pretrained.inference.folding import folded
from course_utils.pretrained.inference.precision import choose_precision, computing_in
from course_utils.pretrained.inference.processor import memory_reused, one_thread, weights_in_order
from course_utils.pretrained.models.freezing import in_eval_mode

TOLERANCE = {"float32": 1e-3, "bfloat16": 5e-2}     # relative, between one batch size and another
FOLDED_TOLERANCE = 1e-3      # relative, in float32: what folding may change
CHUNK = 1024          # rows of an interrupted run that are copied at a time


class Reader:
    """Reads one place of a model: (B, …) inputs to (B, …) on the CPU. The model is left as it was found."""

    def __init__(self, model: nn.Module, place: nn.Module, at: str,
                 reduce: Callable[[object, Tensor], Tensor], precision: str):
        """
        Args:
            place: the layer that is looked at; at: its "input" or its "output".
            reduce: what to make of the activations found there, and of the batch that went into the model;
                called in several threads.
            precision: see `choose_precision`.
        """
        self.model, self.place, self.at, self.reduce = model, place, at, reduce
        self.device = device_of(model)
        self.precision = choose_precision(precision, self.device)
        self.streams = 1 if self.device.type == "cuda" else torch.get_num_threads()

    def at_a_time(self, numbers: int) -> int:
        """How many pictures of so many numbers make a batch, unless somebody says otherwise."""
        if self.device.type == "cuda":
            return 128
        # A processor is fastest with small batches, each on one thread: activations stay in its cache.
        return min(32, max(4, 4 * 3 * 224**2 // max(1, numbers)))

    def images(self, images: Images, prepare: Preparation, views: int, batch_size: int | None,
               key: str | None) -> Tensor:
        """One row for each picture and view, all pictures once, then all once more; by `key` from a file."""
        each = -(-len(images) // self.streams)          # so that every thread has something to do
        batch_size = batch_size or min(self.at_a_time(3 * prepare.size**2), max(4, each))

        def batches(view: int, order: Iterable[int]) -> Iterator[Batch]:
            return image_batches(images, prepare, batch_size, order=order,
                                 key=("view", view) if views > 1 else None)

        total, kept = views * len(images), stored(key) if key else None
        # The key cannot see into Python code. So the first picture is looked at afresh, and compared.
        if kept is not None:
            [(first, _)] = self._rows(batches(0, [0]), many=False)
            kept = kept if self._agrees(kept[:1], first) else None
        if kept is not None and len(kept) == total:
            return kept
        done = 0 if kept is None else len(kept)         # by a run that was interrupted
        before = 0 if kept is None else kept.nbytes
        with Rows(key, before) as rows, tqdm(total=total, initial=done, desc="Features", unit="picture",
                                             delay=2, leave=False) as bar:
            for chunk in () if kept is None else kept.split(CHUNK):
                rows.append(chunk)
            for view in range(done // len(images), views):
                start = done % len(images) if view == done // len(images) else 0
                with closing(self._rows(batches(view, range(start, len(images))))) as reading:
                    for seen, _ in reading:
                        rows.append(seen)
                        bar.update(len(seen))
            return rows.finish()

    def batches(self, batches: Iterable, caller: str) -> tuple[Tensor, Tensor]:
        """One row for each input, in the order they come, and their labels, (N,)."""
        small = (part for batch in checked_batches(batches, caller) for part in zip(
            *(whole.split(self.at_a_time(batch[0][0].numel())) for whole in batch), strict=True))
        with Rows(None) as rows, tqdm(None, "Features", unit="picture", delay=2, leave=False) as bar, \
                closing(self._rows(small)) as reading:
            labels = []
            for seen, known in reading:
                rows.append(seen)
                labels += known.tolist()      # not as tensors: kept between large ones, they split the heap
                bar.update(len(seen))
            if not labels:
                raise BadData(f"{caller} got no pictures: the loader gave no batch.")
            return rows.finish(), torch.tensor(labels)

    def _rows(self, batches: Iterator[Batch], *, many: bool = True) -> Iterator[tuple[Tensor, Tensor]]:
        """What is seen in each batch, with its labels, in order; several at a time, each on a thread."""
        under_way: deque[tuple[Future, Tensor]] = deque()
        look = None
        # Two threads that share one computation wait for each other, so each computes alone.
        with in_eval_mode(self.model), memory_reused(), closing(batches), ExitStack() as until_done, \
                one_thread(), ThreadPoolExecutor(self.streams, "read") as pool:
            for inputs, labels in batches:
                if look is None:
                    look = until_done.enter_context(self._looking(self._lighter(inputs) if many else None))
                under_way.append((pool.submit(look, inputs), labels))
                if len(under_way) > self.streams:
                    future, known = under_way.popleft()
                    yield future.result(), known
            for future, known in under_way:
                yield future.result(), known

    def _lighter(self, inputs: Tensor) -> tuple[nn.Module, nn.Module] | None:
        """The model with its BatchNorms folded, and the place in it; None where that is not the same."""
        if self.precision == "float32" or inputs.ndim != 4:
            return None                 # exact stays exact
        first = inputs[:1]
        try:
            with torch.inference_mode(), self._looking(precision="float32") as look:
                wanted = look(first)
                model = folded(self.model, lambda: look(first))
            name = next(name for name, module in self.model.named_modules() if module is self.place)
            lighter = model, model.get_submodule(name)
            with self._looking(lighter, precision="float32") as look:
                found = look(first)
        except Exception:       # inputs that do not fit: their own run says so; or no copy that can run
            return None
        same = found.shape == wanted.shape and (found - wanted).norm() <= FOLDED_TOLERANCE * wanted.norm()
        return lighter if same else None

    @contextmanager
    def _looking(self, at: tuple[nn.Module, nn.Module] | None = None,
                 precision: str | None = None) -> Iterator[Callable[[Tensor], Tensor]]:
        model, place = at or (self.model, self.place)
        precision = precision or self.precision

        def look(inputs: Tensor) -> Tensor:
            try:
                # Both hold for one thread only, and this is another one each time.
                with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16,
                                                            enabled=precision == "bfloat16"):
                    run(model, inputs)
            except _Seen as seen:
                rows = self.reduce(seen.args[0], inputs)
                if len(rows) != len(inputs):
                    raise CourseError(f"This layer gives {len(rows)} rows for {len(inputs)} pictures, such as"
                                      " one for each window. Choose one with a row for each.") from None
                return rows.cpu().clone()
            raise CourseError("This layer took no part when the model ran: it has no activations.")

        watch = place.register_forward_pre_hook if self.at == "input" else place.register_forward_hook
        with watch(_see), weights_in_order(model), computing_in(precision, model, self.device):
            yield look

    def _agrees(self, kept: Tensor, fresh: Tensor) -> bool:
        near = TOLERANCE[self.precision] * fresh.float().norm()
        return kept.shape == fresh.shape and bool((kept.float() - fresh.float()).norm() <= near)


class _Seen(Exception):
    """Carries the activations out of the network, so that later layers need not run."""


def _see(module: nn.Module, inputs: tuple, *output: object) -> NoReturn:
    raise _Seen(*(output or inputs[:1]))
