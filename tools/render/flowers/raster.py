"""Which surface each pixel sees: quads cut into points finer than pixels, and a depth buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.render.flowers.surfaces import Patches

SPACING = 0.75  # pixels between points; at 0.71 no pixel can be missed, a few holes do not show
FINEST = 160  # points along an edge at the most: only quads almost in the lens would need more


@dataclass(frozen=True)
class Quads:
    """All quads of a scene; the corners of each in the order 00, 01, 11, 10."""

    corners: np.ndarray  # (Q, 4, 3)
    normals: np.ndarray  # (Q, 4, 3), unit length
    colour: np.ndarray  # (Q, 4, 3)
    across: np.ndarray  # (Q, 4) position across the petal, for streaks; petals differ by offsets
    surface: np.ndarray  # (Q, 3): translucency, gloss, streaks


@dataclass(frozen=True)
class Hits:
    """What pixels see: M pixels that see something, and the depth of all."""

    pixel: np.ndarray           # (M,) row · width + column
    quad: np.ndarray            # (M,)
    weights: np.ndarray         # (M, 4) of the quad's corners
    depth: np.ndarray           # (height, width); infinite where nothing is seen

    def mix(self, values: np.ndarray) -> np.ndarray:
        """Values at corners, (Q, 4) or (Q, 4, C), as seen by the pixels: (M,) or (M, C)."""
        four = values[self.quad]
        return sum(four[:, k] * (self.weights[:, k] if four.ndim == 2 else self.weights[:, k, None])
                   for k in range(4))


def quads(plants: Sequence[Patches]) -> Quads:
    """Every quad of these patches, with normals smooth within each patch."""
    parts = [_quads_of(patches, number) for number, patches in enumerate(plants)]
    return Quads(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _quads_of(patches: Patches, number: int) -> tuple[np.ndarray, ...]:
    points = patches.points.astype(np.float32)
    n, u, v, _ = points.shape
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=2))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    colour = np.broadcast_to(patches.colour, points.shape).astype(np.float32)
    offset = (number * 7.31 + np.arange(n) * 3.77) % 100
    across = np.broadcast_to(np.linspace(0, 1, v) + offset[:, None, None], (n, u, v)).astype(np.float32)
    count = n * (u - 1) * (v - 1)
    surface = np.broadcast_to(
        np.array([patches.translucency, patches.gloss, patches.streaks], np.float32), (count, 3)
    )
    return _corners(points), _corners(normals), _corners(colour), _corners(across), surface


def _corners(grid: np.ndarray) -> np.ndarray:
    """(N, U, V, …) at grid points → (quads, 4, …)."""
    four = [grid[:, :-1, :-1], grid[:, :-1, 1:], grid[:, 1:, 1:], grid[:, 1:, :-1]]
    return np.stack(four, 3).reshape(-1, 4, *grid.shape[3:])


def rasterise(screen: np.ndarray, height: int, width: int) -> Hits:
    """See quads, given in pixels.

    Args:
        screen: (Q, 4, 3), column, row and depth of each corner; what has depth ≤ 0 is not seen.
    """
    low, high = screen[:, :, :2].min(1), screen[:, :, :2].max(1)
    seen = (screen[:, :, 2].min(1) > 0) & (high > 0).all(1) & (low < [width, height]).all(1)
    cuts = _cuts(screen)                                                        # (Q, 2)
    kind = cuts[:, 0] * (FINEST + 1) + cuts[:, 1]
    pixel, depth, quad, part = [], [], [], []
    for one in np.unique(kind[seen]):
        chosen = np.flatnonzero(seen & (kind == one))
        share = _shares(*divmod(one, FINEST + 1))                               # (P, 4)
        corners = screen[chosen].transpose(1, 2, 0).reshape(4, -1)
        column, row, away = (share @ corners).reshape(len(share), 3, -1).transpose(1, 0, 2)      # (P, chosen)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        which, number = np.nonzero(inside)
        pixel.append(row[inside].astype(np.int32) * width + column[inside].astype(np.int32))
        depth.append(away[inside])
        quad.append(chosen[number])
        part.append(which)
    return _nearest(pixel, depth, quad, part, cuts, height, width)


def _cuts(screen: np.ndarray) -> np.ndarray:
    """Into how many points to cut each quad, each way: (Q, 2), of few different numbers."""
    corners = screen[:, :, :2]
    edges = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=-1)     # to 01, 11, 10, 00
    across, along = np.maximum(edges[:, 0], edges[:, 2]), np.maximum(edges[:, 1], edges[:, 3])
    wanted = np.maximum(np.stack([along, across], 1) / SPACING, 1)
    return np.minimum(np.ceil(1.25 ** np.ceil(np.log(wanted) / np.log(1.25))), FINEST).astype(int)


def _shares(along: int, across: int) -> np.ndarray:
    """Weights of a quad's four corners at along × across points inside it: (P, 4)."""
    a, b = np.meshgrid((np.arange(along) + 0.5) / along, (np.arange(across) + 0.5) / across, indexing="ij")
    a, b = a.ravel(), b.ravel()
    return np.stack([(1 - a) * (1 - b), (1 - a) * b, a * b, a * (1 - b)], 1).astype(np.float32)


def _nearest(pixel, depth, quad, part, cuts: np.ndarray, height: int, width: int) -> Hits:
    """Of all points on a pixel the nearest one."""
    nearest = np.full(height * width, np.inf, np.float32)
    pixel, depth, quad, part = (np.concatenate([np.zeros(0, int), *column])     # zeros: there may be none
                                for column in (pixel, depth, quad, part))
    pixel, depth = pixel.astype(np.int64), depth.astype(np.float32)
    np.minimum.at(nearest, pixel, depth)
    winner = np.full(height * width, -1)
    front = np.flatnonzero(depth == nearest[pixel])
    winner[pixel[front]] = front            # of equally near ones the last
    hit = np.flatnonzero(winner >= 0)
    chosen = winner[hit]
    quad, (along, across) = quad[chosen].astype(int), cuts[quad[chosen].astype(int)].T
    a, b = (part[chosen] // across + 0.5) / along, (part[chosen] % across + 0.5) / across
    weights = np.stack([(1 - a) * (1 - b), (1 - a) * b, a * b, a * (1 - b)], 1).astype(np.float32)
    return Hits(hit, quad, weights, nearest.reshape(height, width))
