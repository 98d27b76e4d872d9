"""The six kinds of question: what the YAML of each may hold, and how a response to it is judged."""

from typing import Annotated

from pydantic import Field

from course_utils.teaching.questions.base import (
    CONFIDENCE,
    Id,
    Part,
    Question,
    Text,
    all_different,
    text_hash,
)
from course_utils.teaching.questions.choosing import Multiple, Option, Ordering, Single
from course_utils.teaching.questions.writing import NearMiss, NearText, Numeric, Reflect, ShortText

KINDS = (Single, Multiple, Ordering, Numeric, ShortText, Reflect)
AnyQuestion = Annotated[Single | Multiple | Ordering | Numeric | ShortText | Reflect,
                        Field(discriminator="kind")]

__all__ = [
    "CONFIDENCE", "KINDS", "AnyQuestion", "Id", "Multiple", "NearMiss", "NearText", "Numeric", "Option",
    "Ordering", "Part", "Question", "Reflect", "ShortText", "Single", "Text", "all_different", "text_hash",
]
