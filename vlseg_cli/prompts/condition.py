"""What a query is judged by: a category name, a sentence or a region."""

from enum import StrEnum


class ConditionKind(StrEnum):
    """The three conditions of PSALM; each has its own projector and head."""

    CATEGORY = "category"
    SENTENCE = "sentence"
    REGION = "region"
