"""What a sentence wants: one of the tools, a topic that an agent has no tool for, or one of the labels that are none.

A kernel ridge over the vectors of the examples (Gaussian kernels of centred vectors, the mean over the models): its
leave-one-out scores come in closed form from one matrix inverse. How sure it is, is learnt from exactly those: how
often a wish was right that was so far ahead of the next (ADR 0024). No word has a weight of its own: what is understood
badly gets more examples.
"""

import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from agents.slots import masked
from kernel.embeddings import Embedder, embedders, normalised
from kernel.settings import settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernel.embeddings import Vectors

    Numbers = NDArray[np.float64]

LABELS = ("none", "greeting", "thanks", "capabilities", "person", "injection")
"""What a sentence can be beside a wish for a tool."""
KINDS = ("tools", "topics", "labels")
EXAMPLES = Path(__file__).with_name("examples.yaml")
WIDTH = 1.5
"""Of the kernel exp(WIDTH * (cosine - 1)), and RIDGE: chosen by leave-one-out on the examples."""
RIDGE = 0.1
ABSENT = 0.2
"""What wishes that are not offered lose of their score: they stay in the race, so that one is not taken for another."""
KNOWN = 1.0
"""How far an example's own words are ahead of everything else."""
NEWTON = 25
"""Steps to the best fit of the confidence: far more than it needs."""
REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Example:
    label: str
    text: str


class Space:
    """The examples as one model sees them; `vectors` are those of their texts, in their order."""

    def __init__(self, model: Embedder, vectors: "Vectors") -> None:
        self.model = model
        self._mean = vectors.mean(0)
        self._vectors = normalised(vectors - self._mean)

    def near(self, text: str) -> "Numbers":
        """How near a text is to every example, 0 to 1, in one row."""
        return self._kernel(normalised(self.model.embed([text]) - self._mean))

    def among(self) -> "Numbers":
        """How near the examples are to each other."""
        return self._kernel(self._vectors)

    def _kernel(self, rows: "Vectors") -> "Numbers":
        import numpy as np

        return np.exp(WIDTH * ((rows @ self._vectors.T).astype(np.float64) - 1))


@dataclass(frozen=True, slots=True)
class Learnt:
    """`weights` are (examples, labels). Of wishes that are `m` ahead of the next, 1 / (1 + exp(-steep * m - offset)) are
    right."""

    weights: "NDArray[np.float32]"
    steep: float
    offset: float


class Intents:
    """What the examples say of a sentence. Without `learnt` it is learnt here: seconds for thousands of examples."""

    def __init__(self, examples: Sequence[Example], spaces: Sequence[Space], learnt: Learnt | None = None) -> None:
        import numpy as np

        self.labels = tuple(dict.fromkeys(example.label for example in examples))
        self._spaces = spaces
        self._known = {_plain(example.text): example.label for example in examples}
        self._truth = np.array([self.labels.index(example.label) for example in examples])
        self.learnt = learnt or self.learn()
        self._scores = lru_cache(REMEMBERED)(self._score)

    def rank(self, text: str, names: Collection[str]) -> list[tuple[str, float]]:
        """The `names` (tools and labels) by confidence 0..1, best first. An example's own words are known for sure."""
        import numpy as np

        plain = masked(text)
        scores = np.array(self._scores(plain))
        if (label := self._known.get(_plain(plain))) is not None:
            scores[self.labels.index(label)] = scores.max() + KNOWN
        offered = np.array([label in names for label in self.labels])
        chances = self._chances(scores - ABSENT * ~offered, offered)
        found = [(label, float(chance)) for label, chance in zip(self.labels, chances, strict=True) if label in names]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def accuracy(self, among: Collection[str]) -> float:
        """Leave-one-out: the share of the examples of these labels that the others would have understood."""
        import numpy as np

        columns = [i for i, label in enumerate(self.labels) if label in among]
        rows = np.isin(self._truth, columns)
        best = np.array(columns)[self._solved[1][rows][:, columns].argmax(1)]
        return float(np.mean(best == self._truth[rows]))

    def learn(self) -> Learnt:
        import numpy as np

        weights, left_out = self._solved
        rows, best = np.arange(len(left_out)), left_out.argmax(1)
        others = left_out.copy()
        others[rows, best] = -np.inf
        steep, offset = _odds(left_out[rows, best] - others.max(1), best == self._truth)
        return Learnt(weights.astype(np.float32), steep, offset)

    @cached_property
    def _solved(self) -> "tuple[Numbers, Numbers]":
        """The weights, and the scores of every example by all the others."""
        import numpy as np

        targets = np.eye(len(self.labels))[self._truth] * 2 - 1
        kernel = np.mean([space.among() for space in self._spaces], axis=0)
        inverse = np.linalg.inv(kernel + RIDGE * np.eye(len(kernel)))
        weights = inverse @ targets
        return weights, targets - weights / np.diag(inverse)[:, None]

    def _score(self, text: str) -> "tuple[float, ...]":
        import numpy as np

        near = np.mean([space.near(text) for space in self._spaces], axis=0)
        return tuple((near @ self.learnt.weights)[0].tolist())

    def _chances(self, scores: "Numbers", offered: "NDArray[np.bool_]") -> "Numbers":
        """The best that is offered is right as often as its lead says; the others share what is left, by their scores."""
        import numpy as np

        if not offered.any():
            return np.zeros(len(scores))
        best = int(np.where(offered, scores, -np.inf).argmax())
        others = np.where(np.arange(len(scores)) == best, -np.inf, scores)
        lead = float(scores[best] - others.max())
        sure = 1 / (1 + np.exp(-self.learnt.steep * lead - self.learnt.offset))
        shares = np.exp(self.learnt.steep * (others - others.max()))
        chances: Numbers = np.minimum(shares / shares.sum() * (1 - sure), sure)
        chances[best] = sure
        return chances


def _odds(leads: "Numbers", right: "NDArray[np.bool_]") -> tuple[float, float]:
    """Logistic regression of being right on the lead, by Newton's steps: slope and offset."""
    import numpy as np

    rows, found = np.column_stack([leads, np.ones(len(leads))]), np.zeros(2)
    for _ in range(NEWTON):
        chance = 1 / (1 + np.exp(-rows @ found))
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + 1e-6 * np.eye(2)
        found = found + np.linalg.solve(bend, rows.T @ (right - chance))
    return float(found[0]), float(found[1])


def _plain(text: str) -> str:
    return re.sub(r"[^\w<>' ]+", "", text.lower()).strip()


@lru_cache
def intents() -> Intents:
    """The process's own, made at the first use."""
    known = examples()
    spaces = [Space(model, vectors_of(known, model)) for model in embedders()]
    return Intents(known, spaces, learnt_of(known, spaces))


@lru_cache
def examples() -> tuple[Example, ...]:
    kinds = yaml.safe_load(EXAMPLES.read_text())
    return tuple(Example(label, text) for kind in KINDS for label, texts in kinds[kind].items() for text in texts)


@lru_cache
def topics() -> frozenset[str]:
    """What people want of an agent that has no tool for it: the agents' names."""
    return frozenset(yaml.safe_load(EXAMPLES.read_text())["topics"])


def key_of(known: Sequence[Example], model: Embedder) -> str:
    """Changes with every example and with the embedder: vectors under another key are stale."""
    return sha256("\n".join([model.name, *(example.text for example in known)]).encode()).hexdigest()[:16]


def lesson_of(known: Sequence[Example], spaces: Sequence[Space]) -> str:
    """Changes with everything that weights are learnt from."""
    facts = [str(WIDTH), str(RIDGE), *(key_of(known, space.model) for space in spaces)]
    return sha256("\n".join([*facts, *(example.label for example in known)]).encode()).hexdigest()[:16]


def shipped(name: str) -> Path:
    return EXAMPLES.with_name(f"examples.{name}.npz")


def vectors_of(known: Sequence[Example], model: Embedder) -> "Vectors":
    """Those that come with the code, else those of the data folder, else new ones, kept there."""
    kept = settings().data_dir / "intents" / f"{key_of(known, model)}.npz"
    for path in (shipped(model.name), kept):
        if (found := read(path, key_of(known, model))) is not None:
            return found
    made = model.embed([example.text for example in known])
    write(kept, key_of(known, model), made)
    return made


def learnt_of(known: Sequence[Example], spaces: Sequence[Space]) -> Learnt:
    """As `vectors_of`: what comes with the code was learnt with both models."""
    key = lesson_of(known, spaces)
    kept = settings().data_dir / "intents" / f"{key}.npz"
    for path in (shipped("learnt"), kept):
        if (found := read_learnt(path, key)) is not None:
            return found
    made = Intents(known, spaces).learnt
    write_learnt(kept, key, made)
    return made


def read(path: Path, key: str) -> "Vectors | None":
    """None when there is no such file or it is of other examples."""
    import numpy as np

    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        if str(kept["key"]) != key:
            return None
        found: Vectors = kept["mean"] + kept["steps"].astype(np.float32) * kept["step"]
        return found


def read_learnt(path: Path, key: str) -> Learnt | None:
    import numpy as np

    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        if str(kept["key"]) != key:
            return None
        steep, offset = kept["odds"].tolist()
        return Learnt(kept["weights"].astype(np.float32), steep, offset)


def write(path: Path, key: str, vectors: "Vectors") -> None:
    """One byte per number, around the mean."""
    import numpy as np

    mean = vectors.mean(0)
    step = np.float32(np.abs(vectors - mean).max() / 127)
    _save(path, key=key, mean=mean, step=step, steps=np.round((vectors - mean) / step).astype(np.int8))


def write_learnt(path: Path, key: str, learnt: Learnt) -> None:
    """Two bytes per weight."""
    import numpy as np

    _save(path, key=key, weights=learnt.weights.astype(np.float16), odds=np.array([learnt.steep, learnt.offset]))


def _save(path: Path, **arrays: "str | np.float32 | NDArray[np.generic]") -> None:
    """Another process sees the whole file or none."""
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{id(arrays)}.part.npz")
    np.savez_compressed(part, allow_pickle=False, **arrays)
    part.replace(path)


if __name__ == "__main__":
    for maker in embedders():
        write(shipped(maker.name), key_of(examples(), maker), maker.embed([example.text for example in examples()]))
        sys.stdout.write(f"{shipped(maker.name).name}\n")
    seen = [Space(maker, vectors_of(examples(), maker)) for maker in embedders()]
    write_learnt(shipped("learnt"), lesson_of(examples(), seen), Intents(examples(), seen).learnt)
    sys.stdout.write(f"{shipped('learnt').name}\n")
