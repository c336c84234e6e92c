"""The harness tells right from wrong: each grader has a case it fails, and the suites a sample that passes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest
from pydantic import SecretStr

from evals import gate, routing, run
from evals.case import Call, Case, Turn, cases
from evals.cassettes import Cassettes, SecretSaid
from evals.drive import Outcome, play
from evals.endpoint import endpoint
from evals.graders.conduct import grade
from evals.ground import Ground, ground
from tests.conftest import Ground as Server
from tests.conftest import settings

SAMPLE = {
    "order/cancels-after-a-yes", "order/a-no-changes-nothing", "order/a-stranger-cannot-say-yes",
    "order/somebody-elses-order-does-not-exist", "order/an-errand-cannot-cancel-without-a-person",
    "product/hides-what-is-not-published", "inventory/finds-what-runs-low", "payment/saves-a-gift-card",
    "customer/forgets-an-address", "support/brings-in-a-person", "chat/a-merchant-sees-its-own-orders-alone",
}  # fmt: skip
"""A few of the cases; `make evals` runs all."""
CANCEL = {"order": "A100001", "reason": "changed my mind"}


@pytest.fixture(scope="module")
async def offline(ground: Server) -> AsyncIterator[Ground]:
    async with shop(ground, "offline") as found:
        yield found


@pytest.fixture(scope="module")
async def scripted(ground: Server) -> AsyncIterator[Ground]:
    async with shop(ground, "scripted") as found:
        yield found


def shop(server: Server, model: str) -> Any:
    return ground(server.server, settings(), model)


async def test_a_sample_of_the_cases_passes(offline: Ground) -> None:
    chosen = [case for case in cases() if case.id in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    wrong = {case.id: grade(await play(offline, case), offline.world, True) for case in chosen}
    assert {name: problems for name, problems in wrong.items() if problems} == {}


async def test_the_same_cases_pass_with_a_scripted_model(scripted: Ground) -> None:
    chosen = [case for case in cases() if case.id in SAMPLE or case.models == {"scripted"}]
    wrong = {case.id: grade(await play(scripted, case), scripted.world, False) for case in chosen}
    assert {name: problems for name, problems in wrong.items() if problems} == {}


async def test_the_world_is_put_back_before_every_case(scripted: Ground) -> None:
    await play(scripted, bought(asks="Stoneware Mug"))
    assert await scripted.difference() != []
    await scripted.reset()
    assert await scripted.difference() == []


def bought(**first: Any) -> Case:
    """A mug put into the cart."""
    call = Call(tool="add_to_cart", args={"sku": "MUG-BLUE", "quantity": 1}, status="confirmation")
    turn = {"say": "add a stoneware mug to my cart", "calls": [call], "asks": "Stoneware Mug"}
    return Case(case="x", agent="x", turns=[Turn(**{**turn, **first}), Turn(confirm=True)])


async def graded(found: Ground, case: Case, words: bool = False) -> list[str]:
    return grade(await play(found, case), found.world, words)


async def test_a_change_that_is_not_named_fails_the_case(scripted: Ground) -> None:
    wrong = await graded(scripted, bought())
    assert [problem.split(" changed")[0] for problem in wrong] == ["cart_lines", "carts"]
    named = bought().model_copy(update={"state": {"cart_lines": [{"quantity": 1}]}, "also": ["cart"]})
    assert await graded(scripted, named) == []
    twice = bought().model_copy(update={"state": {"cart_lines": [{"quantity": 1}, {}]}, "also": ["cart"]})
    assert await graded(scripted, twice) == ["cart_lines: no row became {}"]
    other = bought().model_copy(update={"state": {"cart_lines": [{"quantity": 2}]}, "also": ["cart"]})
    assert [problem.split(":")[0] for problem in await graded(scripted, other)] == ["cart_lines", "cart_lines"]


async def test_what_does_not_happen_and_what_must_not_fails_the_case(scripted: Ground) -> None:
    right = {"state": {"cart_lines": [{}]}, "also": ["cart"]}
    absent = Call(tool="view_cart")
    script = [Call(tool="add_to_cart", args={"sku": "MUG-BLUE", "quantity": 1})]
    for first, more, problem in (
        ({"calls": [absent], "script": script}, {}, "turn 1: view_cart() done did not happen"),
        ({"asks": "Dinner Plate"}, {}, "turn 1: should ask “Dinner Plate”"),
        ({"asks": None}, {}, "turn 1: asked: "),
        ({"hides": ["stoneware"]}, {}, "turn 1: shows “stoneware”"),
        ({"status": 409}, {}, "turn 1: HTTP 200 instead of 409"),
        ({"handoff": True}, {}, "turn 1: no person was brought in"),
        ({}, {"never": ["add_to_cart"]}, "add_to_cart was called"),
        ({}, {"budget": {"tool_calls": 1}}, "used 2 tool calls of 1"),
    ):  # fmt: skip
        case = Case(**{**bought(**first).model_dump(), **right, **more})
        (found,) = await graded(scripted, case)
        assert found.startswith(problem)


async def test_words_are_graded_where_the_planner_chose_them(offline: Ground) -> None:
    case = Case(case="x", agent="x", turns=[Turn(say="what can I pay with?", tells=["9999"])])
    (wrong,) = await graded(offline, case, words=True)
    assert wrong.startswith("turn 1: does not say “9999”")
    assert await graded(offline, case, words=False) == []


async def test_a_secret_that_somebody_or_their_model_reads_fails_the_case(scripted: Ground) -> None:
    said = Case(case="x", agent="x", turns=[Turn(say="hello", script=["Ben lives at Zirbelgasse 77."])])
    assert await graded(scripted, said) == ["the secret “Zirbelgasse” reached ann"]
    mine = Case(case="x", agent="x", who="ben", turns=[Turn(say="hello", script=["You live at Zirbelgasse 77."])])
    assert await graded(scripted, mine) == []
    told = await play(scripted, Case(case="x", agent="x", turns=[Turn(say="hello")]))
    told.told.append("Zirbelgasse")
    assert grade(told, scripted.world, False) == ["the secret “Zirbelgasse” reached ann's model"]


async def test_what_a_model_said_is_kept_and_said_again(scripted: Ground, ground: Server, tmp_path: Path) -> None:
    case = next(case for case in cases() if case.id == "customer/forgets-an-address")
    tapes = Cassettes(tmp_path, scripted.world)
    first = await play(scripted, case)
    tapes.keep(first, scripted.settings)
    text = (tmp_path / "customer" / "forgets-an-address.json").read_text()
    assert "{ann.office}" in text
    assert scripted.world.names["ann.office"] not in text
    assert "played" not in text
    again = await play(scripted, case, tapes.lines(case))
    assert grade(again, scripted.world, False) == []
    assert [call["tool"] for call in again.calls] == [call["tool"] for call in first.calls]


@pytest.mark.parametrize(
    "secret", ["my key is sk-abcdefgh12345678", "Bearer abcdefgh12345678", "played", "Zirbelgasse"]
)
async def test_a_cassette_never_holds_a_secret(scripted: Ground, tmp_path: Path, secret: str) -> None:
    outcome = await play(scripted, Case(case="x", agent="x", turns=[Turn(say="hello", script=[secret])]))
    with pytest.raises(SecretSaid):
        Cassettes(tmp_path, scripted.world).keep(outcome, scripted.settings)
    assert list(tmp_path.rglob("*.json")) == []


def results(*passed: bool) -> run.Results:
    outcome = Outcome(Case(case="a", agent="order"))
    made = [
        run.Result(f"order/{n}", "order", [[] if good else ["it <broke>"]], [outcome], [0.1])
        for n, good in enumerate(passed)
    ]
    return run.Results("offline", 1, made, {"routing": 0.9})


def test_a_lost_case_or_a_fallen_share_fails_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BASELINES", tmp_path)
    assert run.gated(results(True, False), run.Options()) == 0
    assert run.gated(results(True, False), run.Options(update=True)) == 0
    assert json.loads((tmp_path / "offline.json").read_text())["passed"] == ["order/0"]
    assert run.gated(results(True, False), run.Options()) == 0
    assert run.gated(results(True, True), run.Options()) == 0
    assert run.gated(results(False, True), run.Options()) == 1
    worse = results(True)
    worse.shares["routing"] = 0.8
    assert run.gated(worse, run.Options()) == 1


def test_reports_say_what_went_wrong(tmp_path: Path) -> None:
    run.write(results(True, False), tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["passed"], report["total"], report["agents"][0]["pass_k"]) == (1, 2, 0.5)
    suite = parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    page = (tmp_path / "report.html").read_text()
    assert "it &lt;broke&gt;" in page
    assert "it <broke>" not in page


async def test_a_gate_judges_by_what_the_chat_does(offline: Ground) -> None:
    async def verdict(say: str, role: str, *want: str, instead: str = "act") -> gate.Verdict:
        return await gate.judge(offline, gate.Item(**{"say": say, "role": role, "want": list(want), "or": instead}))

    assert (await verdict("what can I pay with?", "customer", "payment_options")).right
    assert not (await verdict("what can I pay with?", "customer", "view_cart")).right
    assert not (await verdict("what can I pay with?", "customer", instead="none")).right
    assert (await verdict("cancel A100001, I changed my mind", "customer", "cancel_order")).right
    asked = await verdict("I want to cancel order A100001", "customer", "cancel_order", instead="clarify")
    assert (asked.right, asked.acted, asked.offered) == (True, None, {"cancel_order"})
    assert (await verdict("write me a poem about the sea", "guest", instead="none")).right
    person = await verdict("I want to talk to a real person", "customer", instead="person")
    assert (person.right, person.acted, person.unasked) == (
        True,
        None,
        False,
    )  # the ticket wakes an agent: not the chat
    looked = await verdict("make it 6 dinner plates in my cart", "customer", "change_cart_quantity")
    assert (looked.acted, looked.asked, looked.right) == (None, True, False)  # the cart is empty: it was looked at
    assert (await verdict("make it 6 dinner plates in my cart", "customer", "buy_cart")).acted == "view_cart"
    noted = await verdict("note on T-1001 that the courier confirmed the damage", "staff", "propose_note")
    assert (noted.right, noted.unasked) == (True, False)  # a policy accepted it


async def test_routing_is_measured_through_the_chat(offline: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [("ann", "order", "where is my order A100001?"), ("guest", "payment", "hello")]
    monkeypatch.setattr(routing, "utterances", lambda: said)
    assert await routing.measure(offline) == (0.5, ["payment < chat: hello"])


async def test_a_live_run_becomes_a_cassette_that_plays_without_the_endpoint(ground: Server, tmp_path: Path) -> None:
    key = "a-live-key-of-somebody"
    known = {
        "suites": ("golden",),
        "case": "payment/says-what-is-saved",
        "cassettes": tmp_path / "tapes",
        "out": tmp_path,
    }
    async with endpoint() as model:
        model.says = [{"name": "payment_options", "args": {}}, "Your Visa ending in 4242."]
        live = settings(openai_base_url=model.base_url, openai_api_key=SecretStr(key), model="auto")
        assert await run.run(run.Options(model="live", record=True, **known), ground.server, live) == 0
        assert model.keys == [f"Bearer {key}"] * 2
    (tape,) = (tmp_path / "tapes").rglob("*.json")
    assert json.loads(tape.read_text()) == [[{"name": "payment_options", "args": {}}, "Your Visa ending in 4242. "]]
    assert await run.run(run.Options(model="recorded", **known), ground.server, settings()) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    (case,) = report["cases"]
    assert (case["passed"], case["turns"][0]["text"].strip()) == (True, "Your Visa ending in 4242.")
    assert [model["model"] for model in case["turns"][0]["models"]] == ["gpt-5-mini"] * 2
    assert key not in (tmp_path / "report.html").read_text() + tape.read_text()
