"""What a run came to: JSON for machines, JUnit for a build server, HTML with every turn, call and difference."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ElementTree, SubElement

from jinja2 import Environment, FileSystemLoader

from evals.drive import Outcome, Played
from evals.graders.state import effects

if TYPE_CHECKING:
    from evals.run import Result, Results

HERE = Path(__file__).parent
Json = dict[str, Any]


def write(results: "Results", out: Path) -> None:
    """report.json, junit.xml and report.html into the folder."""
    out.mkdir(parents=True, exist_ok=True)
    shown = summary(results)
    (out / "report.json").write_text(json.dumps(shown, indent=1, default=str) + "\n")
    _junit(results).write(out / "junit.xml", encoding="utf-8", xml_declaration=True)
    pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    (out / "report.html").write_text(pages.get_template("report.html.j2").render(shown))


def summary(results: "Results") -> Json:
    """Everything of the report: totals, per agent, and every case as it went the last time."""
    return {
        "model": results.model,
        "repeat": results.repeat,
        "passed": sum(result.passed for result in results.cases),
        "total": len(results.cases),
        "shares": results.shares,
        "agents": _agents(results),
        "cases": [_case(result) for result in results.cases],
    }


def _agents(results: "Results") -> list[Json]:
    """pass^k, latency of an answer, calls, tokens and cost, by agent."""
    by_agent: dict[str, list[Result]] = defaultdict(list)
    for result in results.cases:
        by_agent[result.agent].append(result)
    return [
        {
            "agent": agent,
            "cases": len(found),
            "passed": sum(result.passed for result in found),
            "pass_k": sum(result.passed for result in found) / len(found),
            **_used([outcome for result in found for outcome in result.outcomes]),
        }
        for agent, found in sorted(by_agent.items())
    ]


def _used(outcomes: list[Outcome]) -> Json:
    seconds = [played.seconds for outcome in outcomes for played in outcome.turns] or [0.0]
    cuts = quantiles(seconds, n=20) if len(seconds) > 1 else [seconds[0]] * 19
    models = [model for outcome in outcomes for model in outcome.models]
    return {
        "p50_ms": round(cuts[9] * 1000),
        "p95_ms": round(cuts[18] * 1000),
        "tool_calls": sum(len(outcome.calls) for outcome in outcomes),
        "model_calls": len(models),
        "tokens": sum(model["tokens_in"] + model["tokens_out"] for model in models),
        "cost_micro": sum(model["cost_micro"] for model in models),
    }


def _case(result: "Result") -> Json:
    last = result.outcomes[-1] if result.outcomes else None
    return {
        "id": result.id,
        "agent": result.agent,
        "passed": result.passed,
        "runs": [not problems for problems in result.problems],
        "problems": sorted({problem for problems in result.problems for problem in problems}),
        "seconds": round(max(result.seconds, default=0.0), 3),
        "who": last.case.who if last else "",
        "turns": [_turn(played) for played in last.turns] if last else [],
        "difference": [_changed(one.table, one.before, one.after) for one in effects(last.difference)] if last else [],
    }


def _turn(played: Played) -> Json:
    said = played.turn.say or played.turn.post or ("yes" if played.turn.confirm else "no")
    calls = [{name: call[name] for name in ("agent", "tool", "arguments", "status", "code")} for call in played.calls]
    models = [
        {name: model[name] for name in ("agent", "model", "tokens_in", "tokens_out", "cost_micro", "latency_ms")}
        for model in played.models
    ]
    asked = (played.answer.get("pending_confirmation") or {}).get("summary")
    return {
        "said": said, "text": played.text, "asked": asked, "calls": calls, "models": models,
        "ms": round(played.seconds * 1000), "status": played.status,
    }  # fmt: skip


def _changed(table: str, before: Json | None, after: Json | None) -> Json:
    """Only what differs of a changed row."""
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    kind = "new" if before is None else "gone" if after is None else "changed"
    return {"table": table, "kind": kind, "fields": {name: [old.get(name), new.get(name)] for name in names}}


def _junit(results: "Results") -> "ElementTree[Element]":
    failed = sum(not result.passed for result in results.cases)
    root = Element("testsuite", name=f"evals.{results.model}", tests=str(len(results.cases)), failures=str(failed))
    for result in results.cases:
        time = f"{sum(result.seconds):.3f}"
        case = SubElement(root, "testcase", classname=f"evals.{result.agent}", name=result.id, time=time)
        if not result.passed:
            problems = [problem for found in result.problems for problem in found]
            SubElement(case, "failure", message=problems[0]).text = "\n".join(problems)
    return ElementTree(root)
