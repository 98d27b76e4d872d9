"""loss_path: the loss along the straight line from each start to the weights that training ended with."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.teaching.exhibits import Chart, Exhibit, Line, Table, Words
from course_utils.widgets.explorer import Explorer, Slider, Switch, explore

BATCH = 25


def distance(one: nn.Module, other: nn.Module) -> float:
    """‖θ_one − θ_other‖: the norm of the difference of all parameters. Buffers do not count."""
    with torch.no_grad():
        squares = [(p - q).double().square().sum() for p, q in zip(one.parameters(), other.parameters(),
                                                                   strict=True)]
    return torch.stack(squares).sum().sqrt().item()


@torch.no_grad()
def losses_on_line(start: nn.Module, end: nn.Module, images: Tensor, labels: Tensor,
                   shares: Sequence[float]) -> list[float]:
    """Cross-entropy in eval mode at each share of the way from `start` to `end`, which stay as they are.

    BatchNorm's running statistics lie on the line as the parameters do.

    Args:
        images: (N, 3, H, W), prepared; labels: (N,).
        shares: 0 is `start`, 1 is `end`.
    """
    here, there, point, losses = start.state_dict(), end.state_dict(), copy.deepcopy(end).eval(), []
    for share in shares:
        point.load_state_dict({name: torch.lerp(here[name], value, share) if value.is_floating_point()
                               else value for name, value in there.items()})
        scores = torch.cat([point(batch) for batch in images.split(BATCH)])          # (N, classes)
        losses.append(F.cross_entropy(scores, labels).item())
    return losses


def loss_path(starts: Mapping[str, nn.Module], end: nn.Module, images: Tensor, labels: Tensor, *,
              points: int = 11) -> Explorer:
    """Walk from each start straight to the trained weights, and see the loss on the way.

    Args:
        starts: networks before training, by name, of the same architecture as `end`.
        end: the trained network.
        images, labels: (N, 3, H, W) prepared, and (N,): what the loss is taken on.
        points: how many places on each line are tried, both ends among them.
    """
    shares = [i / (points - 1) for i in range(points)]
    losses = {name: losses_on_line(start, end, images, labels, shares) for name, start in starts.items()}
    far = {name: distance(start, end) for name, start in starts.items()}

    def look(share: float, log: bool) -> list[Exhibit]:
        lines = [Line(name, list(zip(shares, losses[name], strict=True))) for name in starts]
        chart = Chart(f"Loss on {len(labels)} pictures along the straight line", "share of the way", "loss",
                      lines, log_y=log, marks=[(share, "here")])
        place = shares.index(share)
        rows = [(name, f"{far[name]:.1f}", *(f"{loss:.3g}" for loss in (
            on_way[0], on_way[place], max(on_way), on_way[-1]))) for name, on_way in losses.items()]
        table = Table("Each line in numbers", ("start", "distance to the end", "loss at the start",
                                               "loss here", "highest on the way", "loss at the end"), rows)
        return [chart, table, Words(f"Here: {1 - share:.0%} of the start's weights and {share:.0%} of the "
                                    "trained ones, added up number by number.")]

    return explore("From the start straight to the trained weights", look,
                   share=Slider("Share of the way", shares, shares[points // 2], form="{:.0%}".format),
                   log=Switch("Logarithmic scale", True))
