"""Instructions are worded as in the papers."""

from vlseg_cli.datasets.questions import letter_question, short_question

SHORT = "Answer the question using a single word or phrase."


def test_the_short_answer_instruction_has_two_separators() -> None:
    assert short_question("What is it?", "line") == f"What is it?\n{SHORT}"
    assert short_question("What is it?", "space") == f"What is it? {SHORT}"
    assert short_question("What is it?", "space", unanswerable=True) == (
        "What is it? When the provided information is insufficient, respond with 'Unanswerable'. "
        + SHORT
    )


def test_choices_have_letters_and_a_hint_its_line() -> None:
    assert letter_question("What is it?", ["a cup", "a cat"], "Look.").splitlines() == [
        "Look.",
        "What is it?",
        "A. a cup",
        "B. a cat",
        "Answer with the option's letter from the given choices directly.",
    ]
    assert letter_question("What?", ["a"], language="cn").splitlines()[-1] == "请直接回答选项字母。"
