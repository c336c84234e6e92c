"""E-mail: messages queued with the fact they tell, sent later."""

from commerce.email.schemas import Mail
from commerce.email.service import EmailService

__all__ = ["EmailService", "Mail"]
