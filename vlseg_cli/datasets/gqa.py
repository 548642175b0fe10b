"""GQA (Hudson and Manning 2019): questions generated from scene graphs, one true answer each.

``SPLIT_questions.json`` maps a question's id to ``imageId``, ``question`` and ``answer``; images
are ``images/IMAGEID.jpg``.
"""

import json
from pathlib import Path

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.questions import Joint, QuestionDataset, QuestionRecord, short_question
from vlseg_cli.schema import InputError


class GQADataset(QuestionDataset):
    """One split, such as 'testdev_balanced'; keys are the questions' ids.

    joint: see ``questions``. Raises NoInputError if a file is missing, InputError if it is
    damaged.
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
            raise InputError(f"{path} lacks {error}: it is not a GQA question file.") from error
        super().__init__(path, questions)
