"""What a teacher is worth to a small student: `python tools/records/distillation.py`.

Rendered defects, of which only 75 have labels. For each seed these are drawn anew, fifteen of each class:

    teacher                efficientnet_lite0, frozen, with a linear probe trained on the 75
    student alone          a network of 0.02 M parameters from random numbers, on the 75
    distilled              the same, with the teacher's scores beside the labels
    distilled, unlabelled  the same, on all training pictures; their labels are not used (alpha = 1)

Every student makes the same number of steps. Accuracy is that on the test pictures.
"""

from __future__ import annotations

from statistics import mean, stdev

import torch
from _record import write_record
from torch import Tensor, nn

from course_utils import paths
from course_utils.pretrained import (
    ImageData,
    Images,
    count_parameters,
    distillation_loss,
    evaluate,
    extract_features,
    fit,
    linear_probe,
    load_dataset,
    load_model,
    measure,
)

DATASET, SEEDS = "defects", (0, 1, 2, 3, 4)
SIZE, STEPS, BATCH, RATE = 96, 300, 32, 3e-3
PER_CLASS = 15
TEMPERATURE, ALPHA = 4.0, 0.7
TEACHER = "efficientnet_lite0"


def small_network(classes: int) -> nn.Module:
    """Three convolutions, each followed by a halving of the picture; 0.02 M parameters."""
    layers, channels = [nn.AvgPool2d(2)], 3
    for width in (16, 32, 64):
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                   nn.MaxPool2d(2)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def draw_labelled(images: Images, seed: int) -> Images:
    """`PER_CLASS` pictures of each class."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).tolist()
    taken = {label: [i for i in order if images.labels[i] == label][:PER_CLASS]
             for label in range(len(images.classes))}
    return images.subset(sorted(i for positions in taken.values() for i in positions))


def make_teacher(labelled: Images, data: ImageData) -> nn.Module:
    """The pretrained network with a head for these classes, trained on the labelled pictures alone."""
    teacher = load_model(TEACHER)
    train, val = (extract_features(teacher, part, size=SIZE) for part in (labelled, data.val))
    teacher.classifier = linear_probe(train, val).as_head()
    teacher.course_classes = data.classes
    return teacher


def learning_from(teacher: nn.Module, alpha: float):
    """The loss for `fit`: the teacher sees each batch as the student does."""
    def loss(scores: Tensor, labels: Tensor, *, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = teacher(inputs)
        return distillation_loss(scores, wanted, labels, temperature=TEMPERATURE, alpha=alpha)
    return loss


def student_accuracy(train: Images, data: ImageData, teacher: nn.Module, seed: int, loss=None) -> float:
    torch.manual_seed(seed)
    student = small_network(len(data.classes))
    student.course_weights = teacher.course_weights          # prepared as for the teacher
    epochs = round(STEPS * BATCH / len(train))
    few = data.val.subset(range(0, len(data.val), 10))      # nothing is chosen by them: the last epoch counts
    fit(student, train, few, epochs=epochs, batch_size=BATCH, size=SIZE, augment=False, loss=loss,
        optimizer=torch.optim.Adam(student.parameters(), lr=RATE), schedule="cosine", seed=seed)
    return evaluate(student, data.test, size=SIZE).accuracy


def run_seed(seed: int) -> dict:
    data = load_dataset(DATASET)
    labelled = draw_labelled(data.train, seed)
    teacher = make_teacher(labelled, data)
    found = {"seed": seed, "teacher": evaluate(teacher, data.test, size=SIZE).accuracy}
    for name, train, loss in [("student alone", labelled, None),
                              ("distilled", labelled, learning_from(teacher, ALPHA)),
                              ("distilled, unlabelled", data.train, learning_from(teacher, 1.0))]:
        found[name] = student_accuracy(train, data, teacher, seed, loss)
    print(found, flush=True)
    return {name: round(value, 4) for name, value in found.items()}


def costs() -> dict:
    """Parameters, and milliseconds for one picture, of teacher and student."""
    found = {}
    models = {"teacher": load_model(TEACHER, 5, random_init=True), "student": small_network(5)}
    for name, model in models.items():
        latency = measure(model.eval(), size=SIZE).latencies[0]
        found[name] = {"parameters": count_parameters(model), "milliseconds": round(1e3 * latency.median, 3)}
    return found


if __name__ == "__main__":
    rows = [run_seed(seed) for seed in SEEDS]
    names = [name for name in rows[0] if name != "seed"]
    data = load_dataset(DATASET)
    write_record(paths.results() / "distillation.json", command="python tools/records/distillation.py",
                 seeds=SEEDS, results={
                     "dataset": DATASET, "labelled": PER_CLASS * len(data.classes),
                     "unlabelled": len(data.train), "test": len(data.test), "size": SIZE, "steps": STEPS,
                     "temperature": TEMPERATURE,
                     "alpha": ALPHA, "per_seed": rows, "costs": costs(),
                     "mean": {name: round(mean(row[name] for row in rows), 4) for name in names},
                     "spread": {name: round(stdev(row[name] for row in rows), 4) for name in names}})
