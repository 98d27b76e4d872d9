"""Curved surfaces in space: the stuff petals, leaves and stems are made of.

A plant is a list of `Patches`. Its frame: z points up along the stem, the flower sits at the origin, and a
flower head is about 1 in radius.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))  # between one floret and the next: Vogel, 1979


@dataclass(frozen=True)
class Patches:
    """N surfaces of one kind, each a grid of U × V points."""

    points: np.ndarray  # (N, U, V, 3)
    colour: np.ndarray  # albedo in linear RGB, broadcasts to points
    translucency: float = 0.35  # share of light from behind that comes through
    gloss: float = 0.05
    streaks: float = 0.0  # depth of fine lines along the petal, 0 … 1

    def moved(
        self, turn: np.ndarray | None = None, by: np.ndarray | float = 0.0, scale: float = 1.0
    ) -> Patches:
        """Turned by a (3, 3) matrix, scaled, then shifted."""
        points = (self.points if turn is None else self.points @ turn.T) * scale + by
        return replace(self, points=points.astype(np.float32))


def outline(s: np.ndarray, *, widest: float, base: float, blunt: float) -> np.ndarray:
    """Half-width along a petal, 0 … 1: from `base` it widens up to s = `widest`, then closes to its tip.

    Args:
        blunt: 1 ends in a straight-sided point, 2 in an ellipse, 4 almost square.
    """
    rising = base + (1 - base) * np.sin(np.pi / 2 * np.clip(s / widest, 0, 1))
    closing = np.clip((s - widest) / (1 - widest), 0, 1)
    return rising * (1 - closing**blunt) ** (1 / blunt)


def spine(length: np.ndarray, elevation: np.ndarray, start: np.ndarray | float = 0.0):
    """Distance from the axis and height along lines that set out from the axis.

    Args:
        length: (N,) or one number.
        elevation: (N, U), radians above the horizontal at each of U points.
    Returns:
        radius and height, (N, U) each.
    """
    steps = elevation.shape[1] - 1
    middle = (elevation[:, 1:] + elevation[:, :-1]) / 2
    step = np.reshape(length, (-1, 1)) / steps
    zero = np.zeros((len(elevation), 1))
    radius = np.concatenate([zero, np.cumsum(np.cos(middle) * step, 1)], 1) + np.reshape(start, (-1, 1))
    height = np.concatenate([zero, np.cumsum(np.sin(middle) * step, 1)], 1)
    return radius, height


def straps(
    azimuth: np.ndarray,
    length,
    elevation: np.ndarray,
    half_width: np.ndarray,
    *,
    start=0.0,
    fold: float = 0.0,
    twist=0.0,
    across: int = 5,
) -> np.ndarray:
    """Narrow petals or leaves around the axis, (N, U, across, 3).

    Args:
        azimuth: (N,) radians around the axis.
        elevation: (N, U) radians above the horizontal along each strap.
        half_width: (N, U).
        fold: how far edges stand above the midline, in half-widths; negative: they hang.
        twist: radians turned about the midline from base to tip, (N,) or one number.
    """
    radius, height = spine(length, elevation, start)
    s = np.linspace(0, 1, elevation.shape[1])
    turn = np.reshape(twist, (-1, 1)) * s  # (N, U)
    t = np.linspace(-1, 1, across)
    side = half_width[..., None] * t  # (N, U, V)
    up = fold * half_width[..., None] * t**2
    lateral = side * np.cos(turn)[..., None] - up * np.sin(turn)[..., None]
    lift = side * np.sin(turn)[..., None] + up * np.cos(turn)[..., None]
    out = radius[..., None] - lift * np.sin(elevation)[..., None]
    z = height[..., None] + lift * np.cos(elevation)[..., None]
    c, sn = (f(azimuth)[:, None, None] for f in (np.cos, np.sin))
    return np.stack([out * c - lateral * sn, out * sn + lateral * c, z], -1).astype(np.float32)


def cups(
    azimuth: np.ndarray,
    radius: np.ndarray,
    height: np.ndarray,
    half_angle: np.ndarray,
    *,
    spiral: float = 0.0,
    ruffle: np.ndarray | float = 0.0,
    across: int = 11,
) -> np.ndarray:
    """Wide petals curved around the axis, (N, U, across, 3).

    Args:
        radius, height: (N, U), the midline.
        half_angle: (N, U) radians around the axis from midline to edge.
        spiral: by which share of the radius one edge lies further out than the other.
        ruffle: (N, U, across), added to the radius.
    """
    t = np.linspace(-1, 1, across)
    phi = azimuth[:, None, None] + half_angle[..., None] * t
    r = radius[..., None] * (1 + spiral * t) + ruffle
    z = np.broadcast_to(height[..., None], phi.shape)
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], -1).astype(np.float32)


def domes(centres: np.ndarray, normals: np.ndarray, size: np.ndarray, tall: float = 1.0) -> np.ndarray:
    """Small bumps, such as florets of a disc: centres, normals (N, 3), size (N,) → (N, 4, 4, 3)."""
    a, b = np.meshgrid(*[np.linspace(-1, 1, 4)] * 2, indexing="ij")
    x, y = a * np.sqrt(1 - b**2 / 2), b * np.sqrt(1 - a**2 / 2)
    local = np.stack([x, y, tall * (1 - x**2 - y**2)], -1)
    frames = np.stack([facing(normal) for normal in normals])  # (N, 3, 3)
    return (
        centres[:, None, None] + size[:, None, None, None] * np.einsum("nij,uvj->nuvi", frames, local)
    ).astype(np.float32)


def tube(path: np.ndarray, thickness: np.ndarray | float) -> np.ndarray:
    """A stem along `path` (U, 3), of this radius: (1, U, 7, 3)."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    first = np.cross(along, [0.3, 0.9, 0.1])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    angle = np.linspace(0, 2 * np.pi, 7)[:, None]
    ring = first[:, None] * np.cos(angle) + second[:, None] * np.sin(angle)  # (U, 7, 3)
    return (path[:, None] + np.reshape(thickness, (-1, 1, 1)) * ring)[None].astype(np.float32)


def facing(axis: np.ndarray, spin: float = 0.0) -> np.ndarray:
    """A rotation, (3, 3), that takes z to `axis`, after a turn by `spin` about z."""
    axis = axis / np.linalg.norm(axis)
    helper = np.array([1.0, 0, 0]) if abs(axis[0]) < 0.9 else np.array([0, 1.0, 0])
    y = np.cross(axis, helper)
    y /= np.linalg.norm(y)
    x = np.cross(y, axis)
    c, s = np.cos(spin), np.sin(spin)
    return np.stack([x, y, axis], 1) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """The unit vector at these angles, radians; elevation counts from the horizontal up."""
    return np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )


def blend(first, second, share: np.ndarray) -> np.ndarray:
    """Colours from `first` (share 0) to `second` (share 1): (…) shares → (…, 3) colours."""
    share = np.asarray(share)[..., None]
    return np.asarray(first) * (1 - share) + np.asarray(second) * share
