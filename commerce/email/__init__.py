"""E-mail: messages queued with the fact they tell, sent later."""

from commerce.email.schemas import Mail, MailView
from commerce.email.service import EmailService

__all__ = ["EmailService", "Mail", "MailView"]
