"""Exercise: one step in which a student learns from a teacher."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.lessons._guards import changed, kind_of, snapshot, torch_as_it_was
from course_utils.pretrained import distillation_loss
from course_utils.teaching import Exercise, Table, expect

teach_a_batch = Exercise(
    "teach-a-batch", lesson="10_distillation", title="Teach one batch", see="#Training-the-student",
    minutes=8, difficulty="medium", objective="train", guard=torch_as_it_was)


@teach_a_batch.starter
def teach(student, teacher, images, labels, optimizer):
    """One step: the student learns from teacher and labels by `distillation_loss` (T = 4, alpha = 0.7).

    The optimizer holds the student. The teacher must be the same afterwards. Return the loss as a float.
    """
    ...


@teach_a_batch.solved_by
def teach(student, teacher, images, labels, optimizer):
    """The teacher in eval mode and without gradients, the student in train mode."""
    teacher.eval()
    student.train()
    with torch.no_grad():
        wanted = teacher(images)
    loss = distillation_loss(student(images), wanted, labels, temperature=4.0, alpha=0.7)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.alternative("inference-mode")
def teach(student, teacher, images, labels, optimizer):
    optimizer.zero_grad()
    with torch.inference_mode():
        wanted = teacher.eval()(images)
    loss = distillation_loss(student.train()(images), wanted.clone(), labels)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


@teach_a_batch.alternative("written-out")
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    with torch.no_grad():
        wanted = F.softmax(teacher(images) / 4, dim=1)
    scores = student(images)
    soft = F.kl_div(F.log_softmax(scores / 4, dim=1), wanted, reduction="batchmean")
    loss = 0.7 * 16 * soft + 0.3 * F.cross_entropy(scores, labels)
    student.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("teacher-in-train-mode", says=(
    "{count} statistics of the teacher moved, such as `{first}`: it ran in train mode, so BatchNorm "
    "followed your batch and its answers depend on who else is in it. Call `teacher.eval()` first."))
def teach(student, teacher, images, labels, optimizer):
    student.train()
    teacher.train()
    with torch.no_grad():
        wanted = teacher(images)
    loss = distillation_loss(student(images), wanted, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("gradients-into-the-teacher", says=(
    "The teacher has gradients now: its whole backward pass was computed and kept in memory for nothing. "
    "Ask it under `torch.no_grad()`."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    scores, wanted = student(images), teacher(images)
    soft = F.kl_div(F.log_softmax(scores / 4, dim=1), F.softmax(wanted / 4, dim=1), reduction="batchmean")
    loss = 0.7 * 16 * soft + 0.3 * F.cross_entropy(scores, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("teacher-with-gradients-on", says=(
    "The teacher ran with gradients on. `distillation_loss` sends none into it, but all its activations were "
    "kept for that. Ask it under `torch.no_grad()`."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    loss = distillation_loss(student(images), teacher(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("teacher-and-student-swapped", says=(
    "No parameter of the student moved. `distillation_loss` takes the student's scores first and gives the "
    "second, the teacher's, no gradients."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    with torch.no_grad():
        wanted = teacher(images)
    loss = distillation_loss(wanted.requires_grad_(), student(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("without-a-step", says=(
    "The student has gradients but did not move: `optimizer.step()` is missing."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    with torch.no_grad():
        wanted = teacher(images)
    loss = distillation_loss(student(images), wanted, labels)
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


@teach_a_batch.wrong("gradients-pile-up", says=(
    "The step depends on gradients that were there before: they are added to, not replaced. Call "
    "`optimizer.zero_grad()` before `backward()`."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    with torch.no_grad():
        wanted = teacher(images)
    loss = distillation_loss(student(images), wanted, labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("student-in-eval-mode", says=(
    "The student's BatchNorm counted no batch: it learned in eval mode, with the statistics it was born "
    "with. Call `student.train()` before it learns."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.eval()
    with torch.no_grad():
        wanted = teacher(images)
    loss = distillation_loss(student(images), wanted, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("labels-alone", says=(
    "The student moved as if there were no teacher: your loss is the labels' alone. Use `distillation_loss` "
    "with both."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    loss = F.cross_entropy(student(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@teach_a_batch.wrong("returns-the-graph", says=(
    "The loss comes back as a tensor that still holds the whole graph, {kind}. A list of such losses fills "
    "the memory: return `loss.item()`."))
def teach(student, teacher, images, labels, optimizer):
    teacher.eval()
    student.train()
    with torch.no_grad():
        wanted = teacher(images)
    loss = distillation_loss(student(images), wanted, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def network(seed: int, width: int) -> nn.Module:
    """Convolution, BatchNorm, five classes: all that modes and gradients need to show."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, width, 3, stride=2), nn.BatchNorm2d(width), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 5))


def lesson_of(answer, *, piled: float = 0.0):
    """What the learner's step left: student, teacher, its state before, the loss that came back."""
    student, teacher = network(0, 8).eval(), network(1, 16).train()
    draws = torch.Generator().manual_seed(2)
    images, labels = torch.randn(12, 3, 16, 16, generator=draws), torch.randint(5, (12,), generator=draws)
    teacher.register_forward_hook(lambda module, _, scores: setattr(module, "kept", scores.requires_grad))
    for parameter in student.parameters():
        parameter.grad = torch.full_like(parameter, piled) if piled else None
    before = snapshot(student), snapshot(teacher)
    found = answer(student, teacher, images.clone(), labels.clone(),
                   torch.optim.SGD(student.parameters(), lr=0.1))
    return student, teacher, before, found


def wanted_step(kind: str = "both") -> tuple[dict[str, Tensor], float]:
    """The student's parameters after the right step, or after one by the labels alone, and the loss."""
    def step(student, teacher, images, labels, optimizer):
        with torch.no_grad():
            scores = teacher.eval()(images)
        own = student.train()(images)
        loss = F.cross_entropy(own, labels) if kind == "labels" else distillation_loss(own, scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()
    student, _, _, loss = lesson_of(step)
    return dict(student.named_parameters()), loss


def gap(student: nn.Module, wanted: dict[str, Tensor]) -> float:
    """The largest difference of any parameter."""
    return max((p - wanted[name]).abs().max().item() for name, p in student.named_parameters())


def moves(student: nn.Module, before: dict[str, Tensor], wanted: dict[str, Tensor]):
    """Evidence: how far each parameter moved, and how far it should have."""
    def largest(now: Tensor, name: str) -> str:
        return f"{(now - before[name]).abs().max():.2e}"

    rows = [[name, largest(p, name), largest(wanted[name], name)] for name, p in student.named_parameters()]
    return lambda: [Table("Largest move of each parameter", ["parameter", "yours", "wanted"], rows,
                          marked=[i for i, (_, yours, right) in enumerate(rows) if yours != right])]


@teach_a_batch.checks("the teacher stays as it was", points=2)
def _(answer):
    _, teacher, (_, before), _ = lesson_of(answer)
    moved = sorted(changed(before, teacher))
    expect(not moved, mistake="teacher-in-train-mode", count=len(moved), first=min(moved, default=""))
    expect(all(p.grad is None for p in teacher.parameters()), mistake="gradients-into-the-teacher")
    expect(not getattr(teacher, "kept", False), mistake="teacher-with-gradients-on")


@teach_a_batch.checks("the student takes the right step", points=3)
def _(answer):
    student, _, (before, _), _ = lesson_of(answer)
    wanted, _ = wanted_step()
    show = moves(student, before, wanted)
    still = gap(student, before) == 0
    expect(not still or any(p.grad is not None for p in student.parameters()),
           mistake="teacher-and-student-swapped", show=show)
    expect(not still, mistake="without-a-step", show=show)
    expect(student[1].num_batches_tracked > 0, mistake="student-in-eval-mode", show=show)
    expect(gap(student, wanted_step("labels")[0]) > 1e-6, mistake="labels-alone", show=show)
    expect(gap(student, wanted) < 1e-6, "The student moved, but not by the step of T = 4 and alpha = 0.7.",
           show=show)
    after_piling, _, _, _ = lesson_of(answer, piled=1.0)
    expect(gap(after_piling, wanted) < 1e-6, mistake="gradients-pile-up")


@teach_a_batch.checks("the loss comes back as a number")
def _(answer):
    _, _, _, found = lesson_of(answer)
    expect(not isinstance(found, Tensor), mistake="returns-the-graph",
           kind=f"with `requires_grad={getattr(found, 'requires_grad', None)}`")
    expect(isinstance(found, float), f"Return the loss as a float; it came back as {kind_of(found)}.")
    wanted = wanted_step()[1]
    expect(abs(found - wanted) < 1e-4, f"The loss of this batch is {wanted:.4f}, but you return {found:.4f}.")


teach_a_batch.hints(
    "Modes first: `teacher.eval()`, `student.train()`.",
    "The teacher's scores come under `with torch.no_grad():`, the student's outside of it.",
    "Then `zero_grad()`, `backward()`, `step()`, and `return loss.item()`.")
