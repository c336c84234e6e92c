"""An outside carrier as the tests play it: EasyPost's answers over respx, and its signed notices."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import respx

URL = "https://carrier.test/v2"
FILES = "https://carrier.test/labels"
SECRETS = "first-secret,second-secret"
SETTINGS = {"carrier_url": URL, "carrier_key": "key", "carrier_webhook_secret": SECRETS, "carrier_timeout": 0.4}
RATES = [("Swift", "Ground", "7.10", 4), ("Swift", "Air", "19.25", 1)]
SENDER = {"name": "North", "line1": "Dock 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}


@dataclass
class Books:
    """What the carrier knows: shipments by their id, and how often each path was asked."""

    currency: str = "EUR"
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    trackers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bought: int = 0
    refunded: int = 0
    files: str = FILES
    lose_answer_of: str = ""
    """The end of a path whose answer is lost once, after it acted."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v2")
        self.asked.append(f"{request.method} {path}")
        found = self._act(request, path)
        if self.lose_answer_of and path.endswith(self.lose_answer_of):
            self.lose_answer_of = ""
            raise httpx.ReadTimeout("the answer was lost")
        return found

    def _act(self, request: httpx.Request, path: str) -> httpx.Response:
        body = orjson.loads(request.content) if request.content else {}
        parts = path.strip("/").split("/")
        if path.startswith("/trackers"):
            code = request.url.params["tracking_code"]
            details = self.trackers.get(code, [])
            return httpx.Response(200, json={"trackers": [{"tracking_code": code, "tracking_details": details}]})
        if request.method == "POST" and parts == ["shipments"]:
            return httpx.Response(201, json=self._made(body["shipment"]))
        known = [s for s in self.shipments.values() if parts[1] in (s["id"], s.get("reference"))]
        if not known:
            return httpx.Response(404, json={"error": {"code": "NOT_FOUND"}})
        return self._moved(known[0], parts[2] if len(parts) > 2 else "", body)

    def _made(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = len(self.shipments) + 1
        rates = [
            {"id": f"rate_{number}{service}", "carrier": carrier, "service": service, "rate": price, "currency": self.currency, "delivery_days": days}
            for carrier, service, price, days in RATES
        ]  # fmt: skip
        made = {**asked, "id": f"shp_{number}", "rates": rates, "postage_label": None}
        self.shipments[made["id"]] = made
        return made

    def _moved(self, found: dict[str, Any], move: str, body: dict[str, Any]) -> httpx.Response:
        if move == "buy":
            if found["postage_label"]:
                return httpx.Response(422, json={"error": {"code": "SHIPMENT.POSTAGE.EXISTS"}})
            self.bought += 1
            found["selected_rate"] = next(rate for rate in found["rates"] if rate["id"] == body["rate"]["id"])
            found["tracking_code"] = f"SW{self.bought:08d}"
            found["postage_label"] = {"label_url": f"{self.files}/{found['id']}.pdf"}
        elif move == "label":
            zpl = {**found["postage_label"], "label_zpl_url": f"{self.files}/{found['id']}.zpl"}
            return httpx.Response(200, json={**found, "postage_label": zpl})
        elif move == "refund":
            self.refunded += 1
            found["refund_status"] = "submitted"
        return httpx.Response(200, json=found)


def played(books: Books) -> respx.MockRouter:
    """The carrier and its label files; a context manager."""
    router = respx.mock(assert_all_called=False)
    router.get(url__regex=rf"{FILES}/.*\.pdf").respond(200, content=b"%PDF-1.4 of the carrier")
    router.get(url__regex=rf"{FILES}/.*\.zpl").respond(200, content=b"^XA^FDof the carrier^XZ")
    router.route(url__startswith=URL).mock(side_effect=books.answer)
    return router


def notice(event: str, tracking: str, *details: tuple[str, str], secret: str = "first-secret", **more: Any) -> Any:
    """Body and headers of a notice; details are (status, instant), newest last."""
    listed = [{"status": status, "datetime": at, "message": f"It is {status}"} for status, at in details]
    tracker = {"tracking_code": tracking, "tracking_details": listed, **more}
    body = orjson.dumps({"id": event, "description": "tracker.updated", "result": tracker})
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-Hmac-Signature": f"hmac-sha256-hex={digest}", "Content-Type": "application/json"}
