"""Count parameters and multiply–adds of the bundled models and of timm's in the catalogue.

    python tools/records/model_costs.py

torchvision tells its own figures. Takes seconds.
"""

from __future__ import annotations

import torch
from _record import write_record

from course_utils import paths
from course_utils.pretrained.inference.measure import count
from course_utils.pretrained.models.bundled import BUNDLED
from course_utils.pretrained.models.heads import count_parameters
from course_utils.pretrained.models.libraries import TIMM
from course_utils.pretrained.models.loading import load_model
from course_utils.pretrained.models.published import names_with


def cost_of(name: str) -> dict[str, int]:
    """Parameters, and multiply–adds of a picture of the size that the weights were trained for."""
    try:
        with torch.device("meta"):          # shapes only: nothing is drawn or computed
            model = load_model(name, random_init=True)
    except NotImplementedError:             # torchvision's RegNet computes its widths with tensors
        model = load_model(name, random_init=True).to("meta")
    side = model.course_weights.input_size
    with torch.inference_mode():
        operations, _ = count(model, torch.empty(1, 3, side, side, device="meta"))
    return {"parameters": count_parameters(model), "multiply_adds": operations // 2}


def main() -> None:
    costs = {name: cost_of(name) for name in [*BUNDLED, *names_with("top1", TIMM)]}
    print("written:", write_record(paths.results() / "model_costs.json",
                                   command="python tools/records/model_costs.py", seeds=(), results=costs))


if __name__ == "__main__":
    main()
