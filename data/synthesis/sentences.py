"""Small stories in plain English: what the voices of `librispeech_mini` read aloud.

A sentence is drawn from one of a few patterns. What goes together in life goes together here:
bread is baked and letters are sent, and boats are not found in kitchens. A language model can learn
that, and a listener needs it, because *ship* and *sheep* sound nearly alike.
"""

from __future__ import annotations

import numpy as np

PEOPLE = (
    "father", "mother", "brother", "sister", "doctor", "teacher", "farmer", "captain", "baker",
    "sailor", "king", "queen",
)  # fmt: skip
NAMES = ("john", "mary", "peter", "anna", "henry", "alice", "tom", "rose")
ANIMALS = ("dog", "cat", "horse", "bird", "sheep", "fox", "mouse", "goat")
TIMES = ("in the morning", "at noon", "in the evening", "at night", "last winter", "last summer",
         "on sunday", "on monday", "every day", "after dinner")  # fmt: skip
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty",
           "thirty", "forty")  # fmt: skip
WEATHER = ("cold", "warm", "dark", "quiet", "windy", "bright")
# What somebody does with some things -> those things.
DEEDS = {
    "baked": ("bread", "cake", "a pie"),
    "cooked": ("soup", "fish", "rice"),
    "ate": ("bread", "soup", "an apple", "an egg"),
    "wrote": ("a letter", "a story", "a song"),
    "read": ("a letter", "a story", "the paper"),
    "lost": ("the key", "the ring", "a shoe"),
    "found": ("the key", "the ring", "a coin"),
    "opened": ("the door", "the window", "the gate"),
    "closed": ("the door", "the window", "the box"),
    "painted": ("the wall", "the boat", "a picture"),
    "sold": ("the house", "the farm", "a picture"),
    "bought": ("a ship", "a coat", "a hat", "cheese"),
    "drank": ("milk", "water", "tea"),
}
PLACES = {
    "in": ("the kitchen", "the garden", "the forest", "the village"),
    "near": ("the river", "the lake", "the church", "the station"),
    "behind": ("the house", "the school", "the hill", "the wall"),
    "under": ("the bridge", "the table", "the tree"),
    "by": ("the fire", "the window", "the sea", "the road"),
}
MOVES = {
    "walked": ("to the market", "along the river", "home"),
    "ran": ("to school", "across the field", "down the hill", "home"),
    "sailed": ("to the island", "across the sea", "along the coast"),
    "drove": ("to the city", "to the market", "to the station"),
}
ANIMAL_DEEDS = ("slept", "waited", "played", "sat", "jumped", "hid")
LOOKS = ("old", "young", "black", "white", "little", "brown")
LONGEST = 36  # characters; two seconds and a half
FEELINGS = ("tired", "happy", "hungry", "sorry", "afraid", "busy")


def _one(rng: np.random.Generator, choices: object) -> str:
    choices = tuple(choices)
    return choices[rng.integers(len(choices))]


def _who(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.4:
        return _one(rng, NAMES)
    owner = _one(rng, ("my", "her", "his", "our")) if draw < 0.7 else "the"
    return f"{owner} {_one(rng, PEOPLE[:4] if owner != 'the' else PEOPLE[4:])}"


def _deed(rng: np.random.Generator) -> str:
    verb = _one(rng, DEEDS)
    return f"{verb} {_one(rng, DEEDS[verb])}"


def _place(rng: np.random.Generator) -> str:
    where = _one(rng, PLACES)
    return f"{where} {_one(rng, PLACES[where])}"


def _move(rng: np.random.Generator) -> str:
    verb = _one(rng, MOVES)
    return f"{verb} {_one(rng, MOVES[verb])}"


def _animal(rng: np.random.Generator) -> str:
    return f"the {_one(rng, LOOKS)} {_one(rng, ANIMALS)}"


def _count(rng: np.random.Generator) -> str:
    number = _one(rng, NUMBERS)
    things = ("boats", "horses", "men", "women", "children", "ships", "birds", "trees")
    return f"{number} {_one(rng, things)}"


PATTERNS = (
    lambda r: f"{_who(r)} {_deed(r)} {_place(r)}",
    lambda r: f"{_one(r, NAMES)} and {_who(r)} {_move(r)}",
    lambda r: f"{_who(r)} {_move(r)} {_one(r, TIMES)}",
    lambda r: f"{_one(r, TIMES)} {_who(r)} {_deed(r)}",
    lambda r: f"{_animal(r)} {_one(r, ANIMAL_DEEDS)} {_place(r)}",
    lambda r: f"{_animal(r)} saw {_animal(r)} {_place(r)}",
    lambda r: f"there were {_count(r)} {_place(r)}",
    lambda r: f"it was {_one(r, WEATHER)} and {_who(r)} was {_one(r, FEELINGS)}",
    lambda r: f"why was {_who(r)} so {_one(r, FEELINGS)} {_one(r, TIMES)}",
    lambda r: f"{_who(r)} didn't know who {_deed(r)}",
    lambda r: f"{_who(r)} gave {_one(r, NAMES)} {_count(r)}",
)


def sentence(rng: np.random.Generator) -> str:
    """Return one sentence in lower case, words and apostrophes only."""
    return PATTERNS[rng.integers(len(PATTERNS))](rng)


def sentences(count: int, rng: np.random.Generator, without: set[str] = frozenset()) -> list[str]:
    """Return so many different sentences.

    Parameters
    ----------
    count
        How many.
    rng
        Draws them.
    without
        Sentences that are taken already.
    """
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        text = sentence(rng)
        if len(text) <= LONGEST and text not in without and _sound(text):
            drawn[text] = None
    return list(drawn)


def _sound(text: str) -> bool:
    """Whether nobody does anything with himself: "tom and tom walked home" is left out."""
    words = [word for word in text.split() if word in NAMES or word in ANIMALS or word in PEOPLE]
    return len(words) == len(set(words))
