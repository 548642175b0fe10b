"""Every wording of the grammar, as templates: the vocabulary is read off this file alone.

Slots: {n} noun, {ns} its plural, {h} noun with a color or not, {hs} its plural, {an} 'a' or 'an',
{c} color, {o} ordinal, {k} number, {side} a direction, {t} target phrase, {x} anchor phrase,
{np} a finished noun phrase, {vp} a verb phrase, {goal} an infinitive, {that} a relative clause.
"""

ORDINALS: tuple[str, ...] = ("first", "second", "third", "fourth", "fifth", "sixth")
NUMBERS: tuple[str, ...] = ("one", "two", "three", "four", "five", "six")
SIDES: tuple[str, ...] = ("left", "right", "top", "bottom")

# How a noun phrase is asked for: always fitting, for one thing only, for several only.
ASK: tuple[str, ...] = (
    "{np}",
    "{np}",
    "{np}",
    "show me {np}",
    "segment {np}",
    "find {np}",
    "can you find {np}",
    "can you find {np}?",
    "{np} please",
    "please segment {np}",
    "please find {np} for me",
    "mark {np}",
    "highlight {np}",
    "i am looking for {np}",
    "point out {np}",
    "select {np}",
    "could you show me {np}?",
    "cut out {np}",
    "outline {np}",
    "i want {np}",
    "i need a mask of {np}",
    "segment {np} in this picture",
    "show me {np} in the image",
    "find {np} for me.",
)
ASK_ONE: tuple[str, ...] = (
    "where is {np}",
    "where is {np}?",
    "which one is {np}?",
    "what about {np}",
)
ASK_MANY: tuple[str, ...] = (
    "where are {np}",
    "where are {np}?",
    "which ones are {np}?",
    "show {np}",
)

CATEGORY: tuple[str, ...] = (
    "the {n}",
    "the {n}",
    "the {n}",
    "{an} {n}",
    "{n}",
    "that {n}",
    "the only {n}",
)
STUFF: tuple[str, ...] = (
    "the {n}",
    "the {n}",
    "{n}",
    "all of the {n}",
    "the whole {n}",
    "all the {n}",
)
COLOR: tuple[str, ...] = (
    "the {c} {n}",
    "the {c} {n}",
    "the {c} {n}",
    "{c} {n}",
    "{an} {c} {n}",
    "the {n} that is {c}",
    "the {n} in {c}",
    "the {c} coloured {n}",
    "that {c} {n}",
    "the {n} which is {c}",
)

POSITION: dict[str, tuple[str, ...]] = {
    "middle": (
        "the middle {h}",
        "the {h} in the middle",
        "the {h} in the middle of the three",
        "the central {h}",
        "the {h} between the other two",
        "the middle one of the three {hs}",
        "the {h} in the centre",
    ),
    "left": (
        "the left {h}",
        "the leftmost {h}",
        "the {h} on the left",
        "the {h} on the far left",
        "the {h} furthest to the left",
        "the {h} on the left side",
        "left {h}",
        "the left one of the {hs}",
    ),
    "right": (
        "the right {h}",
        "the rightmost {h}",
        "the {h} on the right",
        "the {h} on the far right",
        "the {h} furthest to the right",
        "the {h} on the right side",
        "right {h}",
        "the right one of the {hs}",
    ),
    "top": (
        "the top {h}",
        "the topmost {h}",
        "the highest {h}",
        "the {h} at the top",
        "the {h} highest up",
        "the uppermost {h}",
        "the upper {h}",
        "the top one of the {hs}",
    ),
    "bottom": (
        "the bottom {h}",
        "the lowest {h}",
        "the {h} at the bottom",
        "the {h} lowest down",
        "the lowermost {h}",
        "the lower {h}",
        "the bottom one of the {hs}",
        "the {h} furthest down",
    ),
}

ORDINAL: tuple[str, ...] = (
    "the {o} {h} from the {side}",
    "the {o} {h} from the {side}",
    "{o} {h} from the {side}",
    "the {o} {h} counting from the {side}",
    "the {h} that is {o} from the {side}",
    "number {k} of the {hs} from the {side}",
    "{h} number {k} from the {side}",
    "the {o} of the {hs} from the {side}",
    "the {o} {h} when counting from the {side}",
    "the {o} {h} starting at the {side}",
)

SIZE: dict[str, tuple[str, ...]] = {
    "big": (
        "the big {h}",
        "the biggest {h}",
        "the large {h}",
        "the largest {h}",
        "the bigger {h}",
        "big {h}",
        "the {h} that is the biggest",
        "the largest of the {hs}",
        "the big one of the {hs}",
    ),
    "small": (
        "the small {h}",
        "the smallest {h}",
        "the little {h}",
        "the tiny {h}",
        "the smaller {h}",
        "small {h}",
        "the {h} that is the smallest",
        "the smallest of the {hs}",
        "the small one of the {hs}",
    ),
}
SIZE_WORDS = {"big": ("big", "large"), "small": ("small", "little")}

RELATION: dict[str, tuple[str, ...]] = {
    "left of": (
        "{t} left of {x}",
        "{t} to the left of {x}",
        "{t} on the left of {x}",
        "{t} that is left of {x}",
    ),
    "right of": (
        "{t} right of {x}",
        "{t} to the right of {x}",
        "{t} on the right of {x}",
        "{t} that is right of {x}",
    ),
    "above": ("{t} above {x}", "{t} over {x}", "{t} that is above {x}", "{t} higher up than {x}"),
    "below": ("{t} below {x}", "{t} under {x}", "{t} that is below {x}", "{t} beneath {x}"),
    "on": ("{t} on {x}", "{t} on top of {x}", "{t} that is on {x}", "{t} standing on {x}"),
    "next to": ("{t} next to {x}", "{t} beside {x}", "{t} right next to {x}", "{t} by {x}"),
    "closest to": (
        "{t} closest to {x}",
        "{t} nearest to {x}",
        "{t} that is closest to {x}",
        "{t} nearest {x}",
    ),
}

ALL: tuple[str, ...] = ("all the {hs}", "all {hs}", "all of the {hs}", "all the {hs} you can see")
ALL_EVERY: tuple[str, ...] = ("every {h}", "each {h}", "every single {h}", "every {h} you can see")
ALL_TWO: tuple[str, ...] = ("both {hs}", "both of the {hs}", "both the {hs}")
ALL_COUNTED: tuple[str, ...] = ("the {k} {hs}", "all {k} {hs}", "the {hs}")

# How the knowledge table's wordings are asked: verb phrases, goals ("to …"), clauses ("that …").
QUESTIONS: tuple[str, ...] = (
    "what {vp}?",
    "what {vp}?",
    "what {vp}?",
    "what {vp}",
    "which thing {vp}?",
    "which thing here {vp}?",
    "which object in the picture {vp}?",
    "what in this picture {vp}?",
    "what here {vp}?",
    "find something that {vp}",
    "show me what {vp}",
    "segment the thing that {vp}",
    "something that {vp}",
    "point out what {vp}",
    "can you find what {vp}?",
    "where is the thing that {vp}?",
    "i am looking for something that {vp}",
    "is there anything here that {vp}?",
    "mark whatever {vp}",
    "please find the thing that {vp}",
    "tell me what {vp}",
)
GOALS: tuple[str, ...] = (
    "what do i need {goal}?",
    "what do i use {goal}?",
    "what can i use {goal}?",
    "i want {goal}, what do i need?",
    "i want {goal}",
    "i would like {goal}. what helps me?",
    "find something {goal}",
    "show me what i need {goal}",
    "which thing helps me {goal}?",
    "i need something {goal}",
    "what is there {goal}?",
)
CLAUSES: tuple[str, ...] = (
    "find something {that}",
    "show me something {that}",
    "segment the thing {that}",
    "something {that}",
    "the thing {that}",
    "where is the thing {that}?",
    "what is there {that}?",
    "what is the thing here {that}?",
    "is there anything in this picture {that}?",
    "i am looking for something {that}",
    "can you find something {that}?",
    "please find the thing {that}",
    "which one is the thing {that}?",
    "point out something {that}",
)
