"""Pictures of the demo shop's products: a real shop puts its own addresses into `media`."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api import pictures
from api.deps import Open

router = APIRouter(prefix="/media", tags=["media"], include_in_schema=False)


@router.get("/{slug}.svg")
async def picture(slug: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,80}$")], _: Open) -> Response:
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(pictures.picture(slug), media_type="image/svg+xml", headers=headers)
