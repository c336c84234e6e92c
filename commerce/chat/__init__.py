"""Chat: conversations with the shop, and the yes or no of the people in them."""

from commerce.chat.confirmations import Confirmations
from commerce.chat.schemas import ChatAnswer, ThreadView
from commerce.chat.service import ChatService

__all__ = ["ChatAnswer", "ChatService", "Confirmations", "ThreadView"]
