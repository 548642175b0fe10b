"""MME (Fu et al. 2023): two yes-or-no questions about every image, in fourteen tasks.

``TASK/NAME.jpg`` with ``TASK/NAME.txt``, or the same files in ``TASK/images`` and
``TASK/questions_answers_YN``; each line of a text is a question, a tab, Yes or No.
"""

from collections.abc import Iterator
from pathlib import Path

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.questions import Joint, QuestionDataset, QuestionRecord, short_question
from vlseg_cli.schema import InputError

TASKS = (
    *("existence", "count", "position", "color", "posters", "celebrity", "scene"),
    *("landmark", "artwork", "OCR", "commonsense_reasoning", "numerical_calculation"),
    *("text_translation", "code_reasoning"),
)
_SUFFIXES = (".jpg", ".png")


class MMEDataset(QuestionDataset):
    """All tasks found; a query's kind is its task, its key the image's file name.

    joint: see ``questions``; MME's tables are made with a space. Raises NoInputError if there is no
    task, InputError if a text is damaged.
    """

    def __init__(self, root: Path, *, joint: Joint = "space") -> None:
        folder = existing_folder(root / "MME_Benchmark_release_version", root)
        super().__init__(folder, (row for task in TASKS for row in _rows(folder, task, joint)))


def _rows(root: Path, task: str, joint: Joint) -> Iterator[tuple[Path, QuestionRecord]]:
    images, texts = root / task / "images", root / task / "questions_answers_YN"
    if not images.is_dir():
        images = texts = root / task
    for image in sorted(path for path in images.glob("*") if path.suffix in _SUFFIXES):
        path = texts / f"{image.stem}.txt"
        for line in parsed(path, bytes.decode).splitlines():
            question, tab, answer = line.strip().rpartition("\t")
            if not tab:
                raise InputError(f"{path} has a line without a tab and an answer: {line!r}.")
            text = short_question(question, joint)
            yield image, QuestionRecord(text, image.name, (answer.lower(),), kind=task)
