"""Exercise: the loss of distillation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.lessons._guards import kind_of, torch_as_it_was
from course_utils.pretrained import distillation_loss
from course_utils.teaching import Exercise, Table, expect

write_the_loss = Exercise(
    "write-the-loss", lesson="10_distillation", title="The loss of distillation", see="#The-loss",
    minutes=10, difficulty="medium", objective="loss", guard=torch_as_it_was)


@write_the_loss.starter
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    """alpha · T² · KL(teacher ‖ student), both softened by T, + (1 − alpha) · cross-entropy with the labels.

    Scores are (B, classes), before softmax. A mean over the batch.
    """
    ...


@write_the_loss.solved_by
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    """kl_div takes the student's log-probabilities first, then the teacher's probabilities."""
    soft = F.kl_div(F.log_softmax(student_scores / temperature, dim=1),
                    F.softmax(teacher_scores / temperature, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_scores, labels)
    return alpha * temperature ** 2 * soft + (1 - alpha) * hard


@write_the_loss.alternative("written-out")
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    student = torch.log_softmax(student_scores / temperature, dim=-1)
    teacher = torch.log_softmax(teacher_scores / temperature, dim=-1)
    soft = (teacher.exp() * (teacher - student)).sum(dim=-1).mean()
    hard = -torch.log_softmax(student_scores, dim=-1)[torch.arange(len(labels)), labels].mean()
    return alpha * temperature * temperature * soft + (1 - alpha) * hard


@write_the_loss.alternative("logarithms-of-both")
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    student, teacher = ((scores / temperature).log_softmax(1) for scores in (student_scores, teacher_scores))
    soft = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return alpha * soft * temperature ** 2 + F.cross_entropy(student_scores, labels) * (1 - alpha)


@write_the_loss.alternative("with-the-course")
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    return distillation_loss(student_scores, teacher_scores, labels, temperature=temperature, alpha=alpha)


@write_the_loss.wrong("alpha-swapped", says=(
    "With alpha = 0 nothing of the teacher should count, but your loss is the teacher's part. alpha weighs "
    "the teacher, 1 − alpha the labels."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    soft = F.kl_div(F.log_softmax(student_scores / temperature, dim=1),
                    F.softmax(teacher_scores / temperature, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_scores, labels)
    return (1 - alpha) * temperature ** 2 * soft + alpha * hard


@write_the_loss.wrong("labels-softened", looks_like="the labels' part is softened too", says=(
    "With alpha = 0 the loss is plain cross-entropy, {wanted:.4f} here, but yours is {got:.4f}: it divides "
    "the scores by T for the labels too. Labels are hard, so their part takes the scores as they are."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    student_scores = student_scores / temperature
    soft = F.kl_div(F.log_softmax(student_scores, dim=1),
                    F.softmax(teacher_scores / temperature, dim=1), reduction="batchmean")
    return alpha * temperature ** 2 * soft + (1 - alpha) * F.cross_entropy(student_scores, labels)


@write_the_loss.wrong("no-logarithm", says=(
    "The teacher's part is below 0, which no divergence can be: `kl_div` wants log-probabilities of the "
    "student. Use `log_softmax` for its first argument."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    soft = F.kl_div(F.softmax(student_scores / temperature, dim=1),
                    F.softmax(teacher_scores / temperature, dim=1), reduction="batchmean")
    return alpha * temperature ** 2 * soft + (1 - alpha) * F.cross_entropy(student_scores, labels)


@write_the_loss.wrong("turned-round", says=(
    "This is KL(student ‖ teacher), {got:.4f}; asked for is KL(teacher ‖ student), {wanted:.4f}. `kl_div` "
    "takes what learns first, as logarithms, and what it should become second."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    soft = F.kl_div(F.log_softmax(teacher_scores / temperature, dim=1),
                    F.softmax(student_scores / temperature, dim=1), reduction="batchmean")
    return alpha * temperature ** 2 * soft + (1 - alpha) * F.cross_entropy(student_scores, labels)


@write_the_loss.wrong("mean-over-classes", says=(
    "Your teacher's part is {times:.3g} times too small, once for each class: `reduction=\"mean\"` divides "
    "by pictures and classes. A divergence is a sum over classes: `batchmean` divides by pictures alone."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    soft = F.kl_div(F.log_softmax(student_scores / temperature, dim=1),
                    F.softmax(teacher_scores / temperature, dim=1), reduction="mean")
    return alpha * temperature ** 2 * soft + (1 - alpha) * F.cross_entropy(student_scores, labels)


@write_the_loss.wrong("softmax-over-the-batch", says=(
    "What one picture costs depends on which others are in the batch: your softmax runs over the pictures. "
    "Over the classes: `dim=1`."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    soft = F.kl_div(F.log_softmax(student_scores / temperature, dim=0),
                    F.softmax(teacher_scores / temperature, dim=0), reduction="batchmean")
    return alpha * temperature ** 2 * soft + (1 - alpha) * F.cross_entropy(student_scores, labels)


@write_the_loss.wrong("without-t-squared", looks_like="T² is left out", says=(
    "At T = 4 your teacher's part is {times:.3g} times too small: T² is missing. Softened gradients shrink "
    "by 1/T², so without it the labels drown the teacher as T grows."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    soft = F.kl_div(F.log_softmax(student_scores / temperature, dim=1),
                    F.softmax(teacher_scores / temperature, dim=1), reduction="batchmean")
    return alpha * soft + (1 - alpha) * F.cross_entropy(student_scores, labels)


@write_the_loss.wrong("only-the-teacher-softened", says=(
    "A student with the teacher's very scores still pays {got:.4f} at T = 4, where it should pay nothing: "
    "only one of the two is softened. Divide both by T."))
def loss_of(student_scores, teacher_scores, labels, temperature, alpha):
    soft = F.kl_div(F.log_softmax(student_scores, dim=1),
                    F.softmax(teacher_scores / temperature, dim=1), reduction="batchmean")
    return alpha * temperature ** 2 * soft + (1 - alpha) * F.cross_entropy(student_scores, labels)


def scores(seed: int, pictures: int = 6, classes: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Scores of a student and a teacher for the same pictures, (B, classes), and labels, (B,)."""
    draws = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(pictures, classes, generator=draws),
            4 * torch.randn(pictures, classes, generator=draws),
            torch.randint(classes, (pictures,), generator=draws))


def value(answer, student: Tensor, teacher: Tensor, labels: Tensor, temperature: float,
          alpha: float) -> float:
    """The learner's loss, known to be one number."""
    found = answer(student.clone(), teacher.clone(), labels.clone(), temperature, alpha)
    expect(isinstance(found, Tensor),
           f"`loss_of` must return a tensor of one number, but it returned {kind_of(found)}.")
    expect(found.numel() == 1,
           f"A loss is one number, yours has shape {tuple(found.shape)}: average over the batch.")
    expect(not found.is_complex(), "A loss is a real number, yours is complex.")
    return found.item()


def divergence(of: Tensor, to: Tensor, temperature: float) -> float:
    """KL(of ‖ to), both softened, in float64 and written out; a mean over the batch."""
    p, q = ((s.double() / temperature).softmax(1) for s in (of, to))
    return (p * (p / q).log()).sum(1).mean().item()


def near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-4 * max(1.0, abs(other))


def side_by_side(rows: list[tuple[str, float, float]]):
    """Evidence: what was asked, what came, what was wanted."""
    return lambda: [Table("The loss", ["", "yours", "wanted"],
                          [[name, f"{got:.4f}", f"{wanted:.4f}"] for name, got, wanted in rows])]


@write_the_loss.checks("alpha = 0: the labels alone")
def _(answer):
    student, teacher, labels = scores(0)
    wanted = F.cross_entropy(student, labels).item()
    got = value(answer, student, teacher, labels, 4.0, 0.0)
    show = side_by_side([("alpha = 0", got, wanted)])
    expect(not near(got, 16 * divergence(teacher, student, 4.0)), mistake="alpha-swapped", show=show)
    expect(not near(got, F.cross_entropy(student / 4, labels).item()), mistake="labels-softened", got=got,
           wanted=wanted, show=show)
    expect(near(got, wanted), f"With alpha = 0 the loss is plain cross-entropy, {wanted:.4f}; yours is "
                              f"{got:.4f}.", show=show)


@write_the_loss.checks("alpha = 1, T = 1: the teacher alone", points=2)
def _(answer):
    student, teacher, labels = scores(1)
    wanted = divergence(teacher, student, 1.0)
    got = value(answer, student, teacher, labels, 1.0, 1.0)
    show = side_by_side([("alpha = 1, T = 1", got, wanted)])
    expect(got > -1e-6, mistake="no-logarithm", show=show)
    expect(not near(got, divergence(student, teacher, 1.0)), mistake="turned-round", got=got, wanted=wanted,
           show=show)
    expect(not near(got * student.shape[1], wanted), mistake="mean-over-classes", times=student.shape[1],
           show=show)
    alone = sum(value(answer, student[i:i + 1], teacher[i:i + 1], labels[i:i + 1], 1.0, 1.0)
                for i in range(len(labels))) / len(labels)
    expect(near(got, alone), mistake="softmax-over-the-batch",
           show=side_by_side([("all six together", got, wanted), ("one by one, averaged", alone, wanted)]))
    expect(near(got, wanted), f"KL(teacher ‖ student) is {wanted:.4f} here; yours is {got:.4f}.", show=show)


@write_the_loss.checks("T = 4 softens both", points=2)
def _(answer):
    student, teacher, labels = scores(2)
    same = value(answer, teacher, teacher, labels, 4.0, 1.0)
    expect(abs(same) < 1e-3, mistake="only-the-teacher-softened", got=same)
    rows = [(f"alpha = {alpha:g}, T = {t:g}", value(answer, student, teacher, labels, t, alpha),
             alpha * t * t * divergence(teacher, student, t)
             + (1 - alpha) * F.cross_entropy(student.double(), labels).item())
            for alpha, t in [(1.0, 4.0), (1.0, 2.0), (0.7, 4.0)]]
    _, got, wanted = rows[0]
    show = side_by_side(rows)
    expect(not near(16 * got, wanted), mistake="without-t-squared", times=16.0, show=show)
    for name, got, wanted in rows:
        expect(near(got, wanted), f"With {name} the loss is {wanted:.4f}; yours is {got:.4f}.", show=show)


@write_the_loss.fingerprint
def _(answer):
    student, teacher, labels = scores(3)
    return [round(float(answer(student, teacher, labels, t, alpha)), 3)
            for t, alpha in [(4.0, 0.3), (2.0, 0.8)]]


write_the_loss.hints(
    "The labels' part is `F.cross_entropy(student_scores, labels)`, without any temperature.",
    "For the teacher's part: `F.kl_div(log_softmax of the student / T, softmax of the teacher / T, "
    "reduction=\"batchmean\")`.",
    "Softening shrinks gradients by 1/T²: multiply the teacher's part by `alpha * temperature ** 2`, the "
    "labels' part by `1 - alpha`.")
