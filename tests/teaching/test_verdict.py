"""A verdict prints as text, by sign and word, never by colour alone."""

from __future__ import annotations

import pytest

from course_utils.teaching import CheckResult, Verdict

CHECKS = (CheckResult("first", True, 1), CheckResult("second", False, 2, "It is 7."))


@pytest.mark.parametrize("outcome, words", [
    ("right", "✔ Right"), ("partly right", "◐ Partly right"), ("wrong", "✘ Not yet"),
    ("not attempted", "… Not attempted yet"), ("our fault", "⚠ Our fault")])
def test_each_outcome_has_a_sign_and_a_word(outcome, words):
    assert str(Verdict(outcome, 0.0, "Because.")) == f"{words} — Because."


def test_checks_are_listed_and_the_first_message_is_not_said_twice():
    assert str(Verdict("partly right", 1 / 3, "It is 7.", checks=CHECKS)).splitlines() == [
        "◐ Partly right — It is 7.", "", "  ✔ first", "  ✘ second"]


def test_a_later_check_keeps_its_own_words():
    assert "  ✘ second: It is 7." in str(Verdict("wrong", 0.0, "It is 3.", checks=CHECKS)).splitlines()


def test_details_stand_below():
    assert str(Verdict("wrong", 0.0, "No.", details="line 1\nline 2")).endswith("\n\n  line 1\n  line 2")


def test_a_notebook_shows_the_text():
    verdict = Verdict("right", 1.0, "Yes.")
    assert verdict._repr_mimebundle_() == {"text/plain": "✔ Right — Yes."}


def test_only_right_is_passed():
    assert Verdict("right", 1.0, "").passed
    assert not Verdict("partly right", 0.9, "").passed


def test_an_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="partly right"):
        Verdict("nearly", 0.5, "")
