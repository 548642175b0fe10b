"""POPE (Li et al. 2023): yes-or-no questions about the presence of an object in COCO images.

``coco/coco_pope_{random,popular,adversarial}.json``, a JSON object per line, and ``val2014/*.jpg``.
"""

from pathlib import Path

from vlseg_cli.datasets.base import existing_folder
from vlseg_cli.datasets.questions import (
    Joint,
    QuestionDataset,
    QuestionRecord,
    read_lines,
    short_question,
)

CATEGORIES = ("random", "popular", "adversarial")  # of the choice of absent objects


class POPEDataset(QuestionDataset):
    """All three categories; a query's kind is its category, its answer 'yes' or 'no'.

    Keys are 'CATEGORY/NUMBER', as numbers restart in every category. joint: see ``questions``.
    Raises NoInputError if a file is missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, *, joint: Joint = "line") -> None:
        folder = existing_folder(root / "coco", root)
        images = existing_folder(root / "val2014", root / "../coco/val2014", root / "../val2014")
        super().__init__(
            folder,
            (
                (images / record["image"], _record(category, record, joint))
                for category in CATEGORIES
                for record in read_lines(
                    folder / f"coco_pope_{category}.json", "question_id", "image", "text", "label"
                )
            ),
        )


def _record(category: str, record: dict[str, str], joint: Joint) -> QuestionRecord:
    text = short_question(record["text"], joint)
    return QuestionRecord(
        text, f"{category}/{record['question_id']}", (record["label"],), kind=category
    )
