"""ScienceQA (Lu et al. 2022): school questions with two to five choices, some about an image.

``problems.json``, ``pid_splits.json`` and ``images/SPLIT/NUMBER/image.png``. Only questions with an
image are read: papers report the accuracy on these (IMG accuracy).
"""

import json
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.questions import LETTERS, QuestionDataset, QuestionRecord, letter_question
from vlseg_cli.schema import InputError


class ScienceQADataset(QuestionDataset):
    """One split; a query's kind is the subject, its answer the letter of the correct choice.

    Raises NoInputError if a file or the split is missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, split: str = "test") -> None:
        path = root / "problems.json"
        problems, splits = parsed(path, json.loads), parsed(root / "pid_splits.json", json.loads)
        images = existing_folder(root / "images" / split, root / split)
        try:
            questions = [
                (images / key / problem["image"], _record(key, problem))
                for key, problem in ((key, problems[key]) for key in splits[split])
                if problem["image"]
            ]
        except (KeyError, TypeError, IndexError) as error:
            raise InputError(f"{path} lacks {error}: fetch ScienceQA again.") from error
        super().__init__(path, questions)


def _record(key: str, problem: dict[str, Any]) -> QuestionRecord:
    choices = tuple(problem["choices"])
    text = letter_question(problem["question"], choices, problem["hint"])
    return QuestionRecord(
        text, key, (LETTERS[problem["answer"]],), choices, problem.get("subject", "")
    )
