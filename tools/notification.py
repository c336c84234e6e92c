"""Tools on the feed."""

from commerce.notification import NotificationView
from commerce.notification.permissions import READ_FEED
from tools.order import Some
from tools.spec import Call, Effect, tool


@tool(Effect.READ, READ_FEED)
async def my_notifications(call: Call, args: Some) -> list[NotificationView]:
    """Shows what the caller was told last: the newest lines of their feed, read and unread."""
    return (await call.commerce.notification.page(call.work, size=args.most)).items
