"""A carrier (or many behind one) that speaks EasyPost's API: shipments with rates, buy, refund; trackers; signed events.

Its shipments are named by our key (`reference`), under which they are found again: a shipment is bought once, and what
a lost answer bought is there to be read. After FAILURES_MOST failures in a row it is left alone for a while.
"""

import hashlib
import hmac
import time
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson

from commerce.shipping.errors import BadCarrierSignature
from commerce.shipping.ports import Bought, CarrierRefused, CarrierSilent, Kind, News, Offer, Parcel, Place, Seen
from kernel.money import CURRENCIES, round_minor

FAILURES_MOST, RESTS_SECONDS = 3, 30.0
UNKNOWN_DAYS = 7
"""Days of a service that names none: late rather than never."""
FILE_MOST = 2_000_000
"""Bytes of a label."""
GRAMS_OF_OUNCE, MM_OF_INCH = Decimal("28.349523125"), Decimal("25.4")
BOUGHT_BEFORE = "SHIPMENT.POSTAGE.EXISTS"
KINDS: dict[str, Kind] = {
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "delivered": "delivered",
    "available_for_pickup": "exception",
    "return_to_sender": "returned_to_sender",
    "failure": "exception",
    "error": "exception",
}
"""Their states as ours; what says nothing of the way (`pre_transit`, `unknown`) is left out."""
DETAILS: dict[str, Kind] = {"delayed": "delayed", "damaged": "damaged", "lost": "lost"}
"""Details that say more than their state."""
Json = dict[str, Any]


class EasyPost:
    own = False

    def __init__(
        self, url: str, key: str, *, secrets: Sequence[str] = (), seconds: float = 3.0, label_host: str | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._secrets = [unicodedata.normalize("NFKD", secret.strip()).encode() for secret in secrets if secret.strip()]
        self._seconds = seconds
        self._scheme, self._hosts = urlsplit(url).scheme, {urlsplit(url).hostname, label_host}
        self._failures = 0
        self._rests_until = 0.0

    async def rates(self, parcel: Parcel) -> list[Offer]:
        """Offers in the parcel's currency; one in another cannot be compared."""
        made = await self._ask("POST", "/shipments", {"shipment": _shipment(parcel)})
        return [offer for rate in made.get("rates") or [] if (offer := _offer(rate)).currency == parcel.currency]

    async def buy(self, key: str, *, parcel: Parcel, service: str) -> Bought:
        found = await self._find(key)
        if found is None:
            body = {"shipment": {**_shipment(parcel), "reference": key, "options": {"label_format": "PDF"}}}
            found = await self._ask("POST", "/shipments", body, key)
        if not found.get("postage_label"):
            rate = next((rate for rate in found.get("rates") or [] if _service(rate) == service), None)
            if rate is None:
                raise CarrierRefused("service_unavailable")
            found = await self._bought(key, found["id"], rate["id"])
        rate, label = found["selected_rate"], found["postage_label"]
        zpl = (await self._ask("GET", f"/shipments/{found['id']}/label?file_format=ZPL"))["postage_label"]
        return Bought(
            reference=found["id"],
            tracking=found["tracking_code"],
            minor=_minor(rate),
            currency=rate["currency"],
            pdf=await self._file(label.get("label_pdf_url") or label["label_url"]),
            zpl=(await self._file(zpl["label_zpl_url"])).decode(),
        )

    async def void(self, key: str, *, reference: str) -> None:
        found = await self._ask("GET", f"/shipments/{quote(reference, safe='')}")
        if found.get("refund_status") in (None, "rejected"):
            found = await self._ask("POST", f"/shipments/{quote(reference, safe='')}/refund", {}, key)
        if found.get("refund_status") == "rejected":
            raise CarrierRefused("refund_rejected")

    async def track(self, tracking: str) -> list[Seen]:
        found = await self._ask("GET", f"/trackers?tracking_code={quote(tracking, safe='')}")
        return [seen for tracker in found.get("trackers") or [] for seen in _seen(tracker)]

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """HMAC-SHA256 over the raw body; while a secret is replaced both count."""
        given = headers.get("x-hmac-signature", "")
        known = [f"hmac-sha256-hex={hmac.new(secret, body, hashlib.sha256).hexdigest()}" for secret in self._secrets]
        if not any(hmac.compare_digest(good.encode(), given.encode()) for good in known):
            raise BadCarrierSignature()

    def read(self, body: bytes) -> News | None:
        event = orjson.loads(body)
        tracker = event.get("result") or {}
        if not str(event.get("description", "")).startswith("tracker.") or not tracker.get("tracking_code"):
            return None
        return News(str(event["id"]), str(tracker["tracking_code"]), _seen(tracker))

    # --- inside ---

    async def _find(self, key: str) -> Json | None:
        try:
            return await self._ask("GET", f"/shipments/{quote(key, safe='')}")
        except CarrierRefused as refused:
            if refused.code == "NOT_FOUND":
                return None
            raise

    async def _bought(self, key: str, shipment: str, rate: str) -> Json:
        try:
            return await self._ask("POST", f"/shipments/{shipment}/buy", {"rate": {"id": rate}}, f"{key}.buy")
        except CarrierRefused as refused:
            if refused.code != BOUGHT_BEFORE:
                raise
            return await self._ask("GET", f"/shipments/{shipment}")

    async def _ask(self, method: str, path: str, body: Json | None = None, key: str | None = None) -> Json:
        if time.monotonic() < self._rests_until:
            raise CarrierSilent("it is left alone for a while")
        headers = {"Idempotency-Key": key} if key else {}
        try:
            async with httpx.AsyncClient(timeout=self._seconds, auth=(self._key, "")) as client:
                answer = await client.request(method, f"{self._url}{path}", json=body, headers=headers)
            if answer.status_code == 429 or answer.status_code >= 500:
                raise CarrierSilent(f"status {answer.status_code}")
            found = answer.json()
        except (httpx.HTTPError, ValueError) as lost:
            self._note(False)
            raise CarrierSilent(type(lost).__name__) from lost
        except CarrierSilent:
            self._note(False)
            raise
        self._note(True)
        if answer.is_success:
            return dict(found)
        code = (found.get("error") or {}).get("code") if isinstance(found, dict) else None
        raise CarrierRefused("NOT_FOUND" if answer.status_code == 404 else str(code or answer.status_code))

    def _note(self, good: bool) -> None:
        self._failures = 0 if good else self._failures + 1
        if self._failures >= FAILURES_MOST:
            self._rests_until = time.monotonic() + RESTS_SECONDS

    async def _file(self, url: str) -> bytes:
        """A label's file, from the carrier's own hosts and without a redirect: its address is text from outside."""
        if urlsplit(url).scheme != self._scheme or urlsplit(url).hostname not in self._hosts:
            raise CarrierRefused("label_host_unknown")
        read = bytearray()
        try:
            async with httpx.AsyncClient(timeout=self._seconds) as client, client.stream("GET", url) as answer:
                answer.raise_for_status()
                async for part in answer.aiter_bytes():
                    read += part
                    if len(read) > FILE_MOST:
                        raise CarrierRefused("label_too_large")
        except httpx.HTTPError as lost:
            raise CarrierSilent(type(lost).__name__) from lost
        return bytes(read)


def _shipment(parcel: Parcel) -> Json:
    size = dict(zip(("length", "width", "height"), (_up(mm, MM_OF_INCH) for mm in parcel.size_mm or ()), strict=False))
    made: Json = {
        "from_address": _address(parcel.sender),
        "to_address": _address(parcel.to),
        "parcel": {"weight": _up(parcel.weight_g, GRAMS_OF_OUNCE), **size},
    }
    return {**made, "carrier_accounts": [parcel.account]} if parcel.account else made


def _up(amount: int, unit: Decimal) -> int:
    """Whole ounces or inches that hold an amount of grams or millimetres; at least one."""
    return max(int((Decimal(amount) / unit).to_integral_value(ROUND_UP)), 1)


def _address(place: Place) -> Json:
    return {
        "name": place.name,
        "street1": place.line1,
        "street2": place.line2,
        "city": place.city,
        "state": place.region,
        "zip": place.postal_code,
        "country": place.country,
    }


def _service(rate: Json) -> str:
    return f"{rate['carrier']}.{rate['service']}"


def _minor(rate: Json) -> int:
    return round_minor(Decimal(str(rate["rate"])).scaleb(CURRENCIES.get(rate["currency"], 2)))


def _offer(rate: Json) -> Offer:
    days = rate.get("delivery_days") or rate.get("est_delivery_days") or UNKNOWN_DAYS
    name = f"{rate['carrier']} {rate['service']}"
    return Offer(_service(rate), name, _minor(rate), rate["currency"], int(days), int(days))


def _seen(tracker: Json) -> list[Seen]:
    found = []
    for detail in tracker.get("tracking_details") or []:
        status = str(detail.get("status"))
        kind = DETAILS.get(str(detail.get("status_detail"))) or KINDS.get(status)
        if kind and detail.get("datetime"):
            at = datetime.fromisoformat(str(detail["datetime"]))
            signed = str(tracker.get("signed_by") or "") if kind == "delivered" else ""
            instant = at if at.tzinfo else at.replace(tzinfo=UTC)
            found.append(Seen(kind, instant, f"{kind}@{instant.isoformat()}", str(detail.get("message") or ""), signed))
    return found
