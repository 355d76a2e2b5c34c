"""How likely a text is, whatever was said: a language model that counts.

Source: Witten and Bell, *The zero-frequency problem*, IEEE Transactions on Information Theory 37,
1991, in the interpolated form of Chen and Goodman, *An empirical study of smoothing techniques for
language modeling*, Computer Speech and Language 13, 1999. Lesson: 06.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
UNITS = ("words", "characters")


class Step(NamedTuple):
    """What a language model says of one step: natural log-probability, and tokens completed."""

    log_prob: float
    tokens: int


@dataclass
class NGram:
    """Probability of the next word, or character, from the few before it.

    A seen continuation counts as often as it was seen, and each context keeps as much for new
    ones as it has had different ones: that share goes to the next shorter context, at last to all
    tokens alike. An unknown word is one that the model would first announce, then spell by a
    character model of the known words, so that long nonsense costs more than a rare word.

    Attributes
    ----------
    order : int
        Tokens that are looked at, the next one among them; 3 is a trigram.
    unit : str
        "words" or "characters".
    counts : dict of tuple to Counter
        For each context, shorter ones included, how often which token followed.
    spelling : NGram or None
        How unknown words are spelled; None for characters.
    """

    order: int
    unit: str
    counts: dict[tuple[str, ...], Counter]
    spelling: "NGram | None" = None
    _known: dict[tuple, float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def train(cls, texts: Iterable[str], order: int = 3, unit: str = "words") -> "NGram":
        """Count texts.

        Parameters
        ----------
        texts : iterable of str
            Each is a whole utterance, normalised as the recogniser's targets are.
        order : int
        unit : str
            "words" or "characters".

        Raises
        ------
        ValueError
            If the order is below 1, the unit is unknown, or no text has any token.
        """
        if order < 1 or unit not in UNITS:
            raise ValueError(
                f"Found order={order} and unit={unit!r}; expected 1 or more, and one of {UNITS};"
                " 3 for words and 6 for characters are usual."
            )
        model = cls(order, unit, defaultdict(Counter))
        for text in [texts] if isinstance(texts, str) else texts:
            tokens = [START] * (order - 1) + model.tokens(text) + [END]
            for place in range(order - 1, len(tokens)):
                for length in range(order):
                    context = tuple(tokens[place - length : place])
                    model.counts[context][tokens[place]] += 1
        model.counts = dict(model.counts)
        if not model.vocabulary:
            raise ValueError(
                f"Found no {unit} in the texts; expected at least one; give the transcripts of the"
                " training part."
            )
        if unit == "words":
            model.spelling = cls.train(sorted(model.vocabulary), 3, "characters")
        return model

    @property
    def vocabulary(self) -> set[str]:
        """The words or characters that were counted."""
        return set(self.counts.get((), ())) - {END}

    def tokens(self, text: str) -> list[str]:
        """The words or characters of a text."""
        return text.split() if self.unit == "words" else list(text)

    def log_prob(self, token: str, context: Sequence[str] = ()) -> float:
        """Natural log-probability that a token comes next.

        Parameters
        ----------
        token : str
            A word or character, known or not, or :data:`END`; :data:`UNKNOWN` stands for all
            unknown ones together.
        context : sequence of str
            The tokens before it, from the start of the text; those too far back are ignored.
        """
        padded = (START,) * (self.order - 1) + tuple(context)
        key = (*padded[len(padded) - self.order + 1 :], token)
        if key not in self._known:
            seen = token in self.counts[()]
            found = math.log(self._share(token if seen else UNKNOWN, key[:-1]))
            if not seen and token != UNKNOWN and self.spelling:
                found += self.spelling.score(token)
            self._known[key] = found
        return self._known[key]

    def _share(self, token: str, context: tuple[str, ...]) -> float:
        """Witten and Bell's probability of a token of the vocabulary, END or UNKNOWN."""
        rest = self._share(token, context[1:]) if context else 1 / (len(self.counts[()]) + 1)
        followers = self.counts.get(context)
        if not followers:
            return rest
        kinds = len(followers)
        return (followers[token] + kinds * rest) / (followers.total() + kinds)

    def score(self, text: str) -> float:
        """Natural log-probability of a whole text, its end included."""
        tokens = self.tokens(text)
        return sum(self.log_prob(token, tokens[:i]) for i, token in enumerate([*tokens, END]))

    def perplexity(self, texts: Iterable[str]) -> float:
        """Among how many equally likely tokens the model would be as unsure, on average.

        The end of each text counts as a token. A word model pays for the spelling of unknown
        words, so that a small vocabulary is no advantage.

        Raises
        ------
        ValueError
            If there are no texts.
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        tokens = sum(len(self.tokens(text)) + 1 for text in texts)
        if not tokens:
            raise ValueError("Found no texts; expected at least one; give those of another part.")
        return math.exp(-sum(map(self.score, texts)) / tokens)

    def step(self, text: str, character: str) -> Step:
        """What a character after a text completes: itself, or the word that a space ends.

        The steps of a text and its :meth:`end` add up to its :meth:`score`.
        """
        if self.unit == "characters":
            return Step(self.log_prob(character, text[max(0, len(text) - self.order + 1) :]), 1)
        if character != " " or not text or text[-1] == " ":
            return Step(0.0, 0)
        *before, word = text.split()
        return Step(self.log_prob(word, before), 1)

    def end(self, text: str) -> Step:
        """What the end of a text completes: its last word, if a space has not, and the end."""
        tokens = self.tokens(text)
        last = self.step(text, " ") if self.unit == "words" else Step(0.0, 0)
        return Step(last.log_prob + self.log_prob(END, tokens), last.tokens)
