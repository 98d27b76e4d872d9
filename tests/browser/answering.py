"""Answers a question of any kind as a learner at the keyboard would: the right way, in a real browser."""

from __future__ import annotations

from course_utils.teaching.questions import Multiple, Numeric, Ordering, Question, Reflect, ShortText, Single


def plain(text: str) -> str:
    """As it stands on the screen: code is set apart by its type, not by backticks."""
    return " ".join(text.replace("`", "").split())


def panel_of(notebook, question: Question):
    """The question's widget."""
    return notebook.find(".course-quiz").filter(has_text=plain(question.prompt)[:60]).first


def tick(notebook, panel, role: str, text: str) -> None:
    panel.get_by_role(role, name=plain(text), exact=True).focus()
    notebook.page.keyboard.press("Space")


def type_into(notebook, panel, text: str) -> None:
    panel.locator("input[type=text], textarea").first.focus()
    notebook.page.keyboard.press("Control+A")
    notebook.page.keyboard.type(text)


def check(notebook, panel) -> None:
    panel.get_by_role("button", name="Check").focus()
    notebook.page.keyboard.press("Enter")


def put_in_order(notebook, panel, question: Ordering) -> None:
    for place, text in enumerate(question.steps):
        up = panel.get_by_role("button", name=f"Move up: {text}", exact=True)
        rows = panel.locator(".course-steps li").all_inner_texts()
        now = next(i for i, row in enumerate(rows) if plain(text) in plain(row))
        up.focus()
        for _ in range(now - place):
            notebook.page.keyboard.press("Enter")
    # touched even where the order was right already
    panel.get_by_role("button", name=f"Move up: {question.steps[0]}", exact=True).press("Enter")


def give_the_right_answer(notebook, question: Question) -> None:
    """Answer and wait for the verdict, or for the note that a prediction was kept."""
    panel = panel_of(notebook, question)
    match question:
        case Single():
            tick(notebook, panel, "radio", next(o.text for o in question.options if o.right))
        case Multiple():
            for option in question.options:
                box = panel.get_by_role("checkbox", name=plain(option.text), exact=True)
                if box.is_checked() != option.right:
                    tick(notebook, panel, "checkbox", option.text)
        case Ordering():
            put_in_order(notebook, panel, question)
        case Numeric():
            type_into(notebook, panel, f"{question.answer:g}")
        case ShortText():
            type_into(notebook, panel, question.accepted[0])
        case Reflect():
            type_into(notebook, panel, "Some sentences, long enough to be an answer.")
            check(notebook, panel)
            for point in question.rubric:
                panel.get_by_role("checkbox", name=plain(point), exact=True).wait_for()
                tick(notebook, panel, "checkbox", point)
    check(notebook, panel)
    outcome = "predicted" if question.predict else "right"
    panel.locator(f'.course-verdict[data-outcome="{outcome}"]').wait_for()
