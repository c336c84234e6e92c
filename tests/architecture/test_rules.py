"""The rules of the house that a machine can check."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from fastapi.routing import APIRoute

from api.deps import PUBLIC, Needs
from cli.where import FOLDERS, files
from commerce.app import GRANTS
from kernel.errors import AgoraError
from kernel.tables import Base
from migrations.ddl import load

ROOT = Path(__file__).parents[2]
CODE = (
    *("kernel", "commerce", "memory", "prompts", "tools", "agents", "graphs", "api", "workers", "evals", "cli"),
    "migrations",
)
CONTEXTS = sorted(path.name for path in (ROOT / "commerce").iterdir() if (path / "__init__.py").exists())
OTHER_NAMES = {
    "api": {"app", "assistant", "deps", "errors", "middleware", "health", "media", "simulator", "welcome"},
    "workers": {"agents", "consumer", "delivery", "loops", "recall", "relay", "run", "schedule", "subscriptions"},
}
"""Modules of the edge folders that are not named after a context."""


def modules(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text())


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_files_and_functions_stay_small() -> None:
    long_files = [path for path, _ in modules(*CODE) if len(path.read_text().splitlines()) > 400]
    long_functions = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in modules(*CODE)
        for node in functions(tree)
        if (node.end_lineno or 0) - node.lineno + 1 > 45
    ]
    assert (long_files, long_functions) == ([], [])


def test_no_catch_all_names() -> None:
    bad_files = [p for p, _ in modules(*CODE) if p.stem in ("utils", "helpers", "common", "misc", "base")]
    bad_classes = [
        node.name
        for _, tree in modules(*CODE)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Helper|Util|Handler)s?$", node.name)
    ]
    assert (bad_files, bad_classes) == ([], [])


def test_amounts_know_no_float() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules("commerce")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float"
    ]
    assert found == []


def test_every_context_is_whole() -> None:
    """A context has its public face and its service; one with tables has them in `tables.py`."""
    for context in CONTEXTS:
        present = {path.name for path in (ROOT / "commerce" / context).glob("*.py")}
        assert {"__init__.py", "service.py"} <= present, context


def test_no_module_is_an_orphan() -> None:
    """An edge module bears the name of a context, so that `agora where` finds it; tests stand in its folder."""
    routes = {path.stem for path in (ROOT / "api" / "routes").glob("*.py")} - {"__init__"}
    assert routes - set(CONTEXTS) <= OTHER_NAMES["api"]
    assert {path.stem for path in (ROOT / "workers").glob("*.py")} - {"__init__"} <= OTHER_NAMES["workers"]
    assert "commerce/inventory/service.py" in files("inventory", ROOT)
    assert "api/routes/order.py" in files("order", ROOT)
    assert (ROOT / "commerce").name in FOLDERS


def test_the_where_script_prints_a_contexts_files() -> None:
    done = subprocess.run([ROOT / "scripts" / "where", "payment"], capture_output=True, text=True, check=True)
    assert "commerce/payment/adapters/simulator.py" in done.stdout.splitlines()


def routes(http: httpx.AsyncClient) -> list[APIRoute]:
    app = http._transport.app.app  # type: ignore[attr-defined]
    return [route for route in flat(app.routes) if isinstance(route, APIRoute)]


def flat(found: list[Any]) -> Iterator[Any]:
    for route in found:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner:
            yield from flat(inner)
        else:
            yield route


def test_every_route_declares_its_permission(http: httpx.AsyncClient) -> None:
    """Deny by default: exactly one declared permission, which some role has, on every route there is."""
    known = {permission for granted in GRANTS.values() for permission in granted}
    found = routes(http)
    assert len(found) > 40
    for route in found:
        needed = [d.call.permission for d in route.dependant.dependencies if isinstance(d.call, Needs)]
        assert len(needed) == 1, route.path
        assert needed[0] == PUBLIC or needed[0] in known, route.path


PUBLIC_ROUTES = {
    "/", "/health/live", "/health/ready", "/metrics", "/media/{slug}.svg", "/simulator/3ds/{reference}",
    "/v1/auth/register", "/v1/auth/token", "/v1/auth/refresh", "/v1/auth/logout", "/v1/products",
    "/v1/products/{product_id}", "/v1/categories", "/v1/shipping-rates", "/v1/webhooks/payments/{gateway}",
    "/v1/webhooks/carriers/{carrier}",
    "/v1/support/articles", "/v1/support/articles/{slug}",
}  # fmt: skip


def test_the_public_routes_are_these(http: httpx.AsyncClient) -> None:
    public = {
        route.path
        for route in routes(http)
        if any(isinstance(d.call, Needs) and d.call.permission == PUBLIC for d in route.dependant.dependencies)
    }
    assert public == PUBLIC_ROUTES


async def test_every_foreign_key_has_an_index(sql: asyncpg.Connection) -> None:
    rows = await sql.fetch(
        """
        select c.conrelid::regclass::text as "table", c.conname from pg_constraint c
        where c.contype = 'f' and c.connamespace = 'public'::regnamespace and c.conparentid = 0
          and not exists (
            select from pg_index i where i.indrelid = c.conrelid
              and (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)
        """
    )
    assert [tuple(row) for row in rows] == []


def test_every_table_is_written_by_a_service() -> None:
    load()
    text = "\n".join(path.read_text() for path, _ in modules("commerce", "kernel", "workers"))
    for table in Base.metadata.tables.values():
        written = re.search(rf"(insert into|update) {table.name}\b", text)
        model = next(mapper.class_.__name__ for mapper in Base.registry.mappers if mapper.local_table is table)
        assert written or re.search(rf"Repository\({model}[,)]", text), table.name


def test_every_error_has_a_code_of_its_own_meaning() -> None:
    """Codes are stable words; two classes share one only when a caller does the same about both."""
    shared = {"idempotency_key_reused", "order_not_cancellable", "insufficient_stock", "not_found"}
    codes: dict[str, list[str]] = {}
    for kind in descendants(AgoraError):
        assert re.fullmatch(r"[a-z][a-z0-9_]+", kind.code)
        if kind.__module__ != "kernel.errors":
            codes.setdefault(kind.code, []).append(kind.__qualname__)
    assert {code for code, classes in codes.items() if len(classes) > 1} <= shared


def descendants(kind: type[AgoraError]) -> Iterator[type[AgoraError]]:
    for child in kind.__subclasses__():
        if child.__dict__.get("code"):
            yield child
        yield from descendants(child)


def test_services_begin_with_their_permission() -> None:
    """A public service method either asks for a permission in its first lines, or is on the list of those that others
    (sagas, reactions, other services) call with rights already checked."""
    for name in (
        "order",
        "checkout",
        "inventory",
        "product",
        "payment",
        "merchant",
        "customer",
        "warehouse",
        "chat",
        "recall",
        "support",
    ):
        text = (ROOT / "commerce" / name / "service.py").read_text()
        assert "work.principal.require(" in text, name
