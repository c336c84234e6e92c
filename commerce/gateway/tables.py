"""What callers used of their limits. Idempotency keys are the kernel's table."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base


class GatewayUsage(Base):
    """Requests of a caller in a window: merged from every process once a second, so a restart forgets little."""

    __tablename__ = "gateway_usage"
    subject: Mapped[str] = mapped_column(primary_key=True)
    window_at: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    requests: Mapped[int]
