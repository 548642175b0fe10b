"""Questions about images: instructions for short answers and choice letters, and their samples.

Here are also the sets whose files hold nothing but such questions: GQA, POPE, MME, ScienceQA. The
instructions are those of LLaVA-1.5, used by all papers. ``joint`` is what separates them from the
question: a line break in LLaVA and its successors (PSALM, HyperSeg), a space in InternVL and its
successors (SELF1E).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.media.image import read_image
from vlseg_cli.schema import Frame, InputError, NoInputError, Query, Question, Sample, Task
from vlseg_cli.schema.files import parse_json

LETTERS = "ABCDEFGH"

Joint = Literal["line", "space"]
Language = Literal["en", "cn"]

_SHORT = "Answer the question using a single word or phrase."
_UNSURE = "When the provided information is insufficient, respond with 'Unanswerable'. "
_LETTER: dict[Language, str] = {
    "en": "Answer with the option's letter from the given choices directly.",
    "cn": "请直接回答选项字母。",
}
_JOINTS: dict[Joint, str] = {"line": "\n", "space": " "}


def short_question(question: str, joint: Joint, *, unanswerable: bool = False) -> str:
    """A question with the short-answer instruction; unanswerable: allow it, as for VizWiz."""
    return f"{question}{_JOINTS[joint]}{_UNSURE if unanswerable else ''}{_SHORT}"


def letter_question(
    question: str, choices: Sequence[str], hint: str = "", language: Language = "en"
) -> str:
    """Hint (if any), question, choices and the letter instruction, each on a line.

    >>> letter_question("What is it?", ["a cup", "a cat"]).splitlines()[:2]
    ['What is it?', 'A. a cup']
    """
    listed = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    return "\n".join([*([hint] if hint else []), question, *listed, _LETTER[language]])


class QuestionRecord(NamedTuple):
    """One question; the other fields are those of ``Query``."""

    text: str
    key: str
    answers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    kind: str = ""


class QuestionDataset:
    """A sample per image with all its questions, images in order of appearance.

    path: the source of the questions, for errors. Raises NoInputError if there are none.
    """

    def __init__(self, path: Path, questions: Iterable[tuple[Path, QuestionRecord]]) -> None:
        by_image: dict[Path, list[QuestionRecord]] = defaultdict(list)
        for image, question in questions:
            by_image[image].append(question)
        if not by_image:
            raise NoInputError(f"{path} has no questions about images: it may be another split.")
        self._images = list(by_image.items())

    def __len__(self) -> int:
        return len(self._images)

    def source(self, number: int) -> str:
        """Path of an image."""
        return str(self._images[number][0])

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its questions. Raises InputError if it is missing or damaged."""
        path, questions = self._images[number]
        return question_sample(read_image(path), questions)


def question_sample(frame: Frame, questions: Iterable[QuestionRecord]) -> Sample:
    """An image with its questions, which have no masks."""
    masks = np.zeros((0, frame.height, frame.width), bool)
    labels = np.zeros(0, np.int64)
    queries = [
        Query(
            Task.CHAT,
            Question(one.text),
            masks,
            labels,
            kind=one.kind,
            answers=one.answers,
            choices=one.choices,
            key=one.key,
        )
        for one in questions
    ]
    return Sample(frame, tuple(queries))


def read_lines(path: Path, *keys: str) -> Iterator[dict[str, Any]]:
    """Records of a file with one JSON object per line, checked for these keys.

    Raises NoInputError if the file is missing, InputError naming a damaged line.
    """
    for number, line in enumerate(parsed(path, bytes.splitlines), start=1):
        if not line.strip():
            continue
        try:
            record = parse_json(line)
            for key in keys:
                record[key]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number}, lacks {error}: fetch it again.") from error
        yield record


class GQADataset(QuestionDataset):
    """One split of GQA (Hudson and Manning 2019), such as 'testdev_balanced': one answer each.

    ``SPLIT_questions.json`` maps a question's id, its key, to ``imageId``, ``question`` and
    ``answer``; images are ``images/IMAGEID.jpg``. Raises NoInputError if a file is missing,
    InputError if it is damaged.
    """

    def __init__(
        self, root: Path, split: str = "testdev_balanced", *, joint: Joint = "line"
    ) -> None:
        path = root / f"{split}_questions.json"
        data = parsed(path, parse_json)
        images = existing_folder(root / "images")
        try:
            questions = [
                (
                    images / f"{one['imageId']}.jpg",
                    QuestionRecord(short_question(one["question"], joint), key, (one["answer"],)),
                )
                for key, one in data.items()
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} lacks {error}: it is not a GQA question file.") from error
        super().__init__(path, questions)


POPE_CATEGORIES = ("random", "popular", "adversarial")  # of the choice of absent objects


class POPEDataset(QuestionDataset):
    """POPE (Li et al. 2023): yes-or-no questions about the presence of an object in COCO images.

    ``coco/coco_pope_{random,popular,adversarial}.json``, an object per line, and
    ``val2014/*.jpg``. A query's kind is its category, its answer 'yes' or 'no', its key
    'CATEGORY/NUMBER', as numbers restart in every category. Raises NoInputError if a file is
    missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, *, joint: Joint = "line") -> None:
        folder = existing_folder(root / "coco", root)
        images = existing_folder(root / "val2014", root / "../coco/val2014", root / "../val2014")
        keys = ("question_id", "image", "text", "label")
        super().__init__(
            folder,
            (
                (
                    images / one["image"],
                    QuestionRecord(
                        short_question(one["text"], joint),
                        f"{category}/{one['question_id']}",
                        (one["label"],),
                        kind=category,
                    ),
                )
                for category in POPE_CATEGORIES
                for one in read_lines(folder / f"coco_pope_{category}.json", *keys)
            ),
        )


MME_TASKS = (
    *("existence", "count", "position", "color", "posters", "celebrity", "scene"),
    *("landmark", "artwork", "OCR", "commonsense_reasoning", "numerical_calculation"),
    *("text_translation", "code_reasoning"),
)


class MMEDataset(QuestionDataset):
    """MME (Fu et al. 2023): two yes-or-no questions about every image, in the tasks found.

    ``TASK/NAME.jpg`` with ``TASK/NAME.txt``, or the same files in ``TASK/images`` and
    ``TASK/questions_answers_YN``; each line of a text is a question, a tab, Yes or No. A query's
    kind is its task, its key the image's file name. joint: MME's tables are made with a space.
    Raises NoInputError if there is no task, InputError if a text is damaged.
    """

    def __init__(self, root: Path, *, joint: Joint = "space") -> None:
        folder = existing_folder(root / "MME_Benchmark_release_version", root)
        super().__init__(
            folder, (row for task in MME_TASKS for row in _mme_rows(folder, task, joint))
        )


def _mme_rows(root: Path, task: str, joint: Joint) -> Iterator[tuple[Path, QuestionRecord]]:
    images, texts = root / task / "images", root / task / "questions_answers_YN"
    if not images.is_dir():
        images = texts = root / task
    for image in sorted(path for path in images.glob("*") if path.suffix in (".jpg", ".png")):
        path = texts / f"{image.stem}.txt"
        for line in parsed(path, bytes.decode).splitlines():
            question, tab, answer = line.strip().rpartition("\t")
            if not tab:
                raise InputError(f"{path} has a line without a tab and an answer: {line!r}.")
            text = short_question(question, joint)
            yield image, QuestionRecord(text, image.name, (answer.lower(),), kind=task)


class ScienceQADataset(QuestionDataset):
    """One split of ScienceQA (Lu et al. 2022): school questions with two to five choices.

    ``problems.json``, ``pid_splits.json`` and ``images/SPLIT/NUMBER/image.png``. Only questions
    with an image are read: papers report the accuracy on these (IMG accuracy). A query's kind is
    the subject, its answer the letter of the correct choice. Raises NoInputError if a file or the
    split is missing, InputError if one is damaged.
    """

    def __init__(self, root: Path, split: str = "test") -> None:
        path = root / "problems.json"
        problems, splits = parsed(path, parse_json), parsed(root / "pid_splits.json", parse_json)
        images = existing_folder(root / "images" / split, root / split)
        try:
            questions = [
                (images / key / problem["image"], _science_record(key, problem))
                for key, problem in ((key, problems[key]) for key in splits[split])
                if problem["image"]
            ]
        except (KeyError, TypeError, IndexError) as error:
            raise InputError(f"{path} lacks {error}: fetch ScienceQA again.") from error
        super().__init__(path, questions)


def _science_record(key: str, problem: dict[str, Any]) -> QuestionRecord:
    choices, answer = tuple(problem["choices"]), LETTERS[problem["answer"]]
    text = letter_question(problem["question"], choices, problem["hint"])
    return QuestionRecord(text, key, (answer,), choices, problem.get("subject", ""))
