"""Text as a recogniser sees it: an alphabet of classes, and writing brought down to it."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_APOSTROPHES = str.maketrans("‘’ʼ", "'''")


@dataclass(frozen=True)
class Alphabet:
    """The characters that a recogniser can write, each with its class, and the blank of CTC.

    Attributes
    ----------
    characters : str
        In the order of their classes, which the blank interrupts where it is not the last class.
    blank : int
        Class of the blank, which means "nothing new here"; the last class by default.

    Raises
    ------
    ValueError
        If there are no characters, one stands there twice, or the blank is no class.
    """

    characters: str
    blank: int = None  # always an int once made

    def __post_init__(self) -> None:
        if self.blank is None:
            object.__setattr__(self, "blank", len(self.characters))
        repeated = "".join(c for c, n in Counter(self.characters).items() if n > 1)
        if not self.characters or repeated:
            raise ValueError(
                f"Found the characters {self.characters!r}, with {repeated!r} more than once;"
                " expected at least one, and each of them once; give each class its own."
            )
        if not 0 <= self.blank <= len(self.characters):
            raise ValueError(
                f"Found blank={self.blank} beside {len(self.characters)} characters; expected a"
                f" class from 0 to {len(self.characters)}; leave it out to have it last."
            )

    @property
    def symbols(self) -> tuple[str, ...]:
        """What each class writes, shape (classes,); the blank writes nothing."""
        return (*self.characters[: self.blank], "", *self.characters[self.blank :])

    def __len__(self) -> int:
        """How many classes there are, the blank among them."""
        return len(self.characters) + 1

    def encode(self, text: str) -> np.ndarray:
        """The classes of a text, int64, shape (characters,).

        Raises
        ------
        ValueError
            If a character is not in the alphabet; it is named, with its text.
        """
        classes = {symbol: k for k, symbol in enumerate(self.symbols) if symbol}
        for place, character in enumerate(text):
            if character not in classes:
                raise ValueError(
                    f"Found {_named(character)} at place {place} of {text!r}; expected characters"
                    f" of {self.characters!r}; bring the text down to them with normalise."
                )
        return np.array([classes[character] for character in text], np.int64)

    def decode(self, classes: Iterable[int]) -> str:
        """The text of classes, without any collapsing: what :meth:`encode` was given.

        Raises
        ------
        ValueError
            If a class is the blank, or none at all.
        """
        classes = [int(k) for k in classes]
        for place, k in enumerate(classes):
            if k == self.blank or not 0 <= k < len(self):
                raise ValueError(
                    f"Found class {k} at place {place}; expected one of 0 to {len(self) - 1} other"
                    f" than the blank, {self.blank}; collapse the path of a recogniser first."
                )
        return "".join(self.symbols[k] for k in classes)


LETTERS = Alphabet("' abcdefghijklmnopqrstuvwxyz")
"""The 29 classes of the course: apostrophe 0, space 1, a to z 2 to 27, blank 28."""


def normalise(text: str, alphabet: Alphabet = LETTERS) -> tuple[str, Counter[str]]:
    """Bring a text down to an alphabet, and say what was lost.

    Case follows the alphabet, ligatures come apart, typographic apostrophes become straight, and
    whitespace becomes single spaces. What the alphabet still lacks is dropped: accents, digits,
    punctuation. A dash or stroke leaves a space, so that the words beside it stay two.

    Parameters
    ----------
    text : str
    alphabet : Alphabet

    Returns
    -------
    (str, Counter)
        The text, which ``alphabet.encode`` takes, and how often each character was dropped. The
        counters of many texts add up; :func:`describe_dropped` names what is in one.
    """
    written = {character.casefold(): character for character in alphabet.characters}
    kept, dropped = [], Counter()
    for character in unicodedata.normalize("NFC", text.translate(_APOSTROPHES)):
        folded = character.casefold()
        for part in [folded] if folded in written else unicodedata.normalize("NFKD", folded):
            if part in written:
                kept.append(written[part])
            elif part.isspace() and " " in written:
                kept.append(" ")
            else:
                dropped[part] += 1
                divides = part in "/\\|" or unicodedata.category(part) == "Pd"
                kept.append(" " if divides and " " in written else "")
    return " ".join("".join(kept).split()), dropped


def describe_dropped(dropped: Counter[str]) -> str:
    """One line for people: ``5 characters dropped: 3 times ',' (COMMA), …``, the most first."""
    if not dropped.total():
        return "no character dropped"
    parts = (
        f"{'once' if n == 1 else f'{n} times'} {_named(character)}"
        for character, n in dropped.most_common()
    )
    what = "character" if dropped.total() == 1 else "characters"
    return f"{dropped.total()} {what} dropped: {', '.join(parts)}"


def minimum_steps(target: Sequence) -> int:
    """Fewest steps, which are frames of the network's output, in which CTC can write a text.

    One for each character, and a blank between two that are alike: "hello" takes 6.
    """
    return len(target) + sum(one == other for one, other in pairwise(target))


def _named(character: str) -> str:
    return f"{character!r} ({unicodedata.name(character, f'U+{ord(character):04X}')})"
