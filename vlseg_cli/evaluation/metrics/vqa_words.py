"""How the VQA evaluators rewrite an answer before comparing it, their slips included.

``process_punctuation`` and ``process_digit_article`` of the VQA API (GT-Vision-Lab/VQA,
``vqaEval.py``) and the longer ``EvalAIAnswerProcessor`` of Pythia's M4C, which LLaVA and InternVL
use. Every odd rule here decides published numbers.
"""

import re

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_THOUSANDS = re.compile(r"\d,\d")
# Meant to spare a period after a digit too, but the pattern's look-behind is mistyped; and a flag
# passed in the place of a count stops it after 32 periods.
_PERIOD = re.compile(r"\.(?!\d)")
_PERIODS = 32

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS)} | {"zero": "0"}
_ARTICLES = {"a", "an", "the"}

# Words whose apostrophe may be missing. Those with two are known with either one missing alone.
_CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't
    haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't
    mightn't've must've mustn't needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've
    shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've someone'll
    someone's something'd something'd've something'll that's there'd there'd've there're there's
    they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're
    what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're
    why's won't would've wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll
    you're you've
"""


def _misspelt(word: str) -> list[str]:
    """The word with one of its apostrophes missing."""
    return [word[:i] + word[i + 1 :] for i, letter in enumerate(word) if letter == "'"]


_RESTORED = {wrong: word for word in _CONTRACTIONS.split() for wrong in _misspelt(word)}
_RESTORED["somebody'd"] = "somebodyd"  # the table has this one the wrong way round


def strip_punctuation(text: str) -> str:
    """Drop or blank punctuation, then drop periods that no digit follows.

    A mark goes without trace if the text has it beside a space, or has a number like 1,000
    anywhere; otherwise a space takes its place.
    """
    thousands = _THOUSANDS.search(text) is not None
    stripped = text
    for mark in _PUNCTUATION:
        beside_space = f"{mark} " in text or f" {mark}" in text
        stripped = stripped.replace(mark, "" if beside_space or thousands else " ")
    return _PERIOD.sub("", stripped, count=_PERIODS)


def plain_words(text: str) -> str:
    """Lower case, digits for numbers up to ten, no articles, apostrophes put back."""
    words = [_DIGITS.get(word, word) for word in text.lower().split()]
    return " ".join(_RESTORED.get(word, word) for word in words if word not in _ARTICLES)


def single_line(text: str) -> str:
    """Newlines and tabs as spaces, none at either end."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def m4c_words(text: str) -> str:
    """The whole of M4C's processing: always applied, to answers and truths alike."""
    lower = text.lower().replace(",", "").replace("?", "").replace("'s", " 's")
    return plain_words(strip_punctuation(single_line(lower)))
