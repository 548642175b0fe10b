"""GQA (Hudson and Manning 2019): questions made from scene graphs, one true answer each.

``testdev_balanced_questions.json`` and ``images/NUMBER.jpg``.
"""

import json
from pathlib import Path

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.questions import Joint, QuestionDataset, QuestionRecord, short_question
from vlseg_cli.schema import InputError


class GQADataset(QuestionDataset):
    """One split, 'testdev_balanced' or 'val_balanced', …; keys are the questions' own.

    joint: see ``question_wording``. Raises NoInputError if a file is missing, InputError if it is
    no such file.
    """

    def __init__(
        self, root: Path, split: str = "testdev_balanced", *, joint: Joint = "line"
    ) -> None:
        path = root / f"{split}_questions.json"
        data = parsed(path, json.loads)
        images = existing_folder(root / "images")
        try:
            questions = [
                (
                    images / f"{record['imageId']}.jpg",
                    QuestionRecord(
                        short_question(record["question"], joint), key, (record["answer"],)
                    ),
                )
                for key, record in data.items()
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} lacks {error}: it is no file of GQA's questions.") from error
        super().__init__(path, questions)
