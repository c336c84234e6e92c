"""`python -m bench.recall`: how often the first help article is the right one, by meaning and by words.

The demo shop's articles in a database of its own; labelled questions (bench/recall.yaml) to both ways of `search_help`.
A question without an answer counts as right when nothing is found.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from cli.database import ensure
from cli.demo import shop as demo
from cli.runtime import commerce, server
from commerce.app import Commerce
from commerce.recall.schemas import Lookup
from commerce.support.schemas import WriteArticle
from kernel import transport
from kernel.auth import ANONYMOUS, SYSTEM
from kernel.settings import Settings
from tools.recall import Library
from tools.spec import TOOLS, Call
from tools.support import Question, search_help
from workers.consumer import Reader
from workers.relay import relay
from workers.subscriptions import GROUP, consumers

QUESTIONS = Path(__file__).with_suffix(".yaml")
TARGETS = "Targets: by meaning at least 10 points more than by words on the fresh questions; p50 < 30 ms."


@dataclass(slots=True)
class Score:
    """Of one way to search."""

    first: int = 0
    among_three: int = 0
    nothing: int = 0
    asked: int = 0
    unanswerable: int = 0
    milliseconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"first {self.first}/{self.asked} ({self.first / self.asked:.0%}), among three {self.among_three}/{self.asked}, "
            f"nothing where nothing fits {self.nothing}/{self.unanswerable}, p50 {median(self.milliseconds):.1f} ms"
        )


async def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.recall", description=__doc__)
    options.add_argument("--wrong", action="store_true", help="name the questions that were answered wrongly")
    asked = options.parse_args()
    sets: dict[str, dict[str, list[str]]] = yaml.safe_load(QUESTIONS.read_text())
    with tempfile.TemporaryDirectory(prefix="agora-recall-") as folder:
        found = Settings(data_dir=Path(folder))
        async with server(found, owner=True) as url:
            await ensure(url)
            async with commerce(found, url) as shop:
                library = await filled(shop, found)
                for name, questions in sets.items():
                    for way, score in (await scores(shop, library, questions)).items():
                        print(f"{name:7} {way:8} {score}")
                        if asked.wrong:
                            print("\n".join(f"    {line}" for line in score.wrong))
                library.close()
    print(TARGETS)


async def filled(shop: Commerce, found: Settings) -> Library:
    """The articles, through the services and their events, and an index that has read them."""
    async with shop.database.work(SYSTEM) as work:
        for article in yaml.safe_load((Path(demo.__file__).parent / "articles.yaml").read_text()):
            await shop.support.articles.write(work, WriteArticle(**article))
    carrier = transport.transport(shop.database, found)
    reader = await Reader.open(shop.database, carrier, GROUP, consumers(shop))
    while await relay(shop.database, carrier) + await reader.step():
        pass
    library = Library(shop, found)
    began = time.perf_counter()
    read = 0
    while done := await library.step():
        read += done
    print(f"{read} articles indexed in {time.perf_counter() - began:.1f} s, Chroma and the model loaded")
    return library


async def scores(shop: Commerce, library: Library, questions: dict[str, list[str]]) -> dict[str, Score]:
    found = {"meaning": Score(), "words": Score()}
    for label, texts in questions.items():
        for text in texts:
            for way, score in found.items():
                shop.recall.index = library
                began = time.perf_counter()
                hits = await hits_of(shop, text, way)
                score.milliseconds.append((time.perf_counter() - began) * 1000)
                _count(score, label, text, hits)
    return found


async def hits_of(shop: Commerce, text: str, way: str) -> list[str]:
    args, look = Question(q=text), TOOLS["search_help"].look
    looked = await look(shop, args) if look and way == "meaning" else Lookup(text)
    async with shop.database.work(ANONYMOUS) as work:
        hits: Any = await search_help(Call(shop, work, ANONYMOUS, None, looked), args)
    return [hit.slug for hit in hits]


def _count(score: Score, label: str, text: str, hits: list[str]) -> None:
    if label == "none":
        score.unanswerable += 1
        score.nothing += not hits
        right = not hits
    else:
        score.asked += 1
        right = hits[:1] == [label]
        score.first += right
        score.among_three += label in hits
    if not right:
        score.wrong.append(f"{text} > {', '.join(hits) or 'nothing'} (not {label})")


if __name__ == "__main__":
    asyncio.run(main())
