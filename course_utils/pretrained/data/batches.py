"""From pictures to batches, files decoded while the network works; and batches from elsewhere, checked."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from course_utils.errors import BadData, CourseError, first_line
from course_utils.pretrained.data.images import ImageData, Images
from course_utils.pretrained.data.preparing import Preparation, preprocessing
from course_utils.pretrained.data.randomness import seed_of, seeded
from course_utils.pretrained.models.heads import whole_number

Batch = tuple[Tensor, Tensor]              # (B, 3, H, W) float32, (B,) int64

DECODERS = 2       # threads; Pillow lets go of Python's lock while it decodes and scales
AHEAD = 2          # batches under way while one is worked on
# What torch says on a graphics card, on Linux, on Windows, and where a library of the card's finds none.
NO_MEMORY = r"out of memory|allocate memory|not enough memory|STATUS_ALLOC_FAILED"


def batches_of(model: nn.Module, data: Images | Iterable, caller: str, batch_size: int, *,
               size: int | None = None, augment: bool = False,
               shuffle: tuple | None = None) -> Iterator[Batch]:
    """Images, prepared as the model's weights expect; the batches of a loader as they come, checked.

    Args:
        caller: who needs them, for the words about a loader that gives something else.
        shuffle: what the order of Images, and the chance in their augmentation, follow from; None: in order.
    """
    if not isinstance(data, Images):
        return checked_batches(data, caller)
    prepare, order = preprocessing(model, augment=augment, size=size), None
    if shuffle:
        order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed_of(*shuffle, "order")))
    return image_batches(data, prepare, batch_size, order=None if order is None else order.tolist(),
                         key=(*shuffle, "augment") if augment else None)


def image_batches(images: Images, prepare: Preparation, batch_size: int, *,
                  order: Sequence[int] | None = None, key: tuple | None = None) -> Iterator[Batch]:
    """Prepared pictures with their labels, in `order`, in channels_last memory.

    Args:
        key: for a `prepare` with chance in it. The picture at position i is prepared under `seeded(*key, i)`,
            in the caller's thread, because all threads share torch's random numbers. None: nothing is random.
    """
    images = images.decoded_to(prepare.enough)
    order = range(len(images)) if order is None else order
    chunks = [order[start:start + batch_size] for start in range(0, len(order), batch_size)]

    def load(position: int) -> Image.Image | Tensor:
        picture = images[position][0]
        return picture if key else prepare(picture)

    def augmented(position: int, picture: Image.Image) -> Tensor:
        with seeded(*key, position):
            return prepare(picture)

    def finish(chunk: Sequence[int], loading: list[Future]) -> Batch:
        loaded = [future.result() for future in loading]
        if key:
            loaded = [augmented(position, picture) for position, picture in zip(chunk, loaded, strict=True)]
        pixels = torch.stack(loaded).contiguous(memory_format=torch.channels_last)       # (B, 3, H, W)
        if torch.cuda.is_available():
            pixels = pixels.pin_memory()        # so that the graphics card fetches them while it computes
        return pixels, torch.tensor([images.labels[i] for i in chunk])

    pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
    under_way: deque[tuple[Sequence[int], list[Future]]] = deque()
    try:
        for chunk in chunks:
            under_way.append((chunk, [pool.submit(load, position) for position in chunk]))
            if len(under_way) > AHEAD:
                yield finish(*under_way.popleft())
        while under_way:
            yield finish(*under_way.popleft())
    finally:        # also where the caller stopped early, or was interrupted
        pool.shutdown(wait=True, cancel_futures=True)


def checked_batches(batches: Iterable, caller: str) -> Iterator[Batch]:
    """The (inputs, labels) of a DataLoader or any other iterable, or words on what they are instead."""
    for batch in _undisturbed(batches):
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise CourseError(f"{caller} needs batches of (inputs, labels), but this loader gives "
                              f"{what_came(batch)}.")
        inputs, labels = batch
        if not isinstance(inputs, Tensor) or not inputs.is_floating_point():
            raise CourseError(f"{caller} needs inputs prepared as float32 tensors, but this loader gives "
                              f"{what_came(inputs)}. Use preprocessing(model) as the data set's transform.")
        if not isinstance(labels, Tensor) or labels.ndim != 1 or labels.is_floating_point():
            raise CourseError(f"{caller} needs labels as whole numbers, shape (B,), but this loader gives "
                              f"{what_came(labels)}.")
        if inputs.ndim < 2 or len(inputs) != len(labels):
            raise CourseError(f"{caller} needs one label for each input, but a batch has inputs of shape "
                              f"{tuple(inputs.shape)} and {len(labels)} labels. A single picture becomes a "
                              "batch with picture.unsqueeze(0).")
        if len(labels):
            yield _channels_last(inputs.float()), labels.long()


def _undisturbed(batches: Iterable) -> Iterator:
    """Their own code runs as if alone: in bfloat16, a rotation of pictures would be a rough one."""
    waiting, nothing = iter(batches), object()
    while True:
        with torch.inference_mode(False), torch.autocast("cpu", enabled=False):
            batch = next(waiting, nothing)
        if batch is nothing:
            return
        yield batch


def _channels_last(inputs: Tensor) -> Tensor:
    # On a processor, convolutions take half the time; the model itself need not change for it.
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.ndim == 4 else inputs


def device_of(model: nn.Module) -> torch.device:
    """Where the model is: the CPU, or wherever it was moved."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def run(model: nn.Module, inputs: Tensor) -> Tensor:
    """model(inputs), on the device the model is on; inputs that do not fit are said in words."""
    try:
        with enough_memory(inputs):
            return model(inputs.to(device_of(model), non_blocking=True))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise CourseError(f"This {type(model).__name__} cannot take inputs of shape {tuple(inputs.shape)}: "
                          f"{first_line(error)}") from error


@contextmanager
def enough_memory(inputs: Tensor) -> Iterator[None]:
    """Where there is not enough, that is said in words, with a batch size to try."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:        # torch's own kinds are RuntimeErrors
        if not isinstance(error, MemoryError) and not re.search(NO_MEMORY, str(error)):
            raise
        advice = f"batch_size={len(inputs) // 2}" if len(inputs) > 1 else "a smaller size of the picture"
        raise CourseError(f"There is not enough memory for {len(inputs)} inputs of shape "
                          f"{tuple(inputs.shape[1:])} at once. Try {advice}.") from error


def check_data(data: object, caller: str, *, size: int | None = None) -> None:
    """Refuse, in words, what is neither Images nor something that gives batches."""
    if isinstance(data, ImageData):
        raise CourseError(f"{caller} works on one split at a time. Type data.train, data.val or data.test.")
    if isinstance(data, Images):
        if not len(data):
            raise BadData(f"{caller} got no pictures: these Images are empty.")
        return
    if isinstance(data, Dataset) or not isinstance(data, Iterable):
        raise CourseError(f"{caller} needs Images or a DataLoader, but got an object of type "
                          f"{type(data).__name__}. Wrap a set of tensors: DataLoader(data, batch_size=32)")
    if isinstance(data, DataLoader) and isinstance(data.dataset, Images):
        raise CourseError(f"This DataLoader holds Images, which give pictures, not tensors. Give {caller} "
                          "the Images themselves: it prepares them as the model's weights expect.")
    if size is not None:
        raise CourseError("size is for Images, which the course prepares. A DataLoader gives its pictures in "
                          "the size it was built for: leave size out, and set it there.")


def what_came(thing: object) -> str:
    """A tensor's kind and shape, or the type of anything else, for an error."""
    if isinstance(thing, Tensor):
        return f"a tensor of {thing.dtype}, shape {tuple(thing.shape)}"
    return f"an object of type {type(thing).__name__}"


def check_count(name: str, value: object) -> None:
    """Refuse, in words, what is not a whole number from 1, Python's or NumPy's."""
    if (whole_number(value) or 0) < 1:
        raise CourseError(f"{name} is a whole number from 1, but got {value!r}.")
