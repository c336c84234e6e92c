"""Every setting of the process, in one place. Names are environment variables; a bad value stops the start."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start. Durations are seconds."""

    model_config = SettingsConfigDict(env_prefix="AGORA_", extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    data_dir: Path = Path(".agora")
    demo: bool = False
    environment: Literal["local", "test", "production"] = "local"
    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    pool_size: int = Field(12, ge=1, le=200)
    statement_timeout: float = Field(5.0, gt=0)
    lock_timeout: float = Field(3.0, gt=0)
    saga_lease: float = Field(30.0, gt=0)
    checkout_wait: float = Field(
        2.5, ge=0, description="how long a checkout waits for its own saga before it answers 'pending'"
    )
    hold_minutes: int = Field(10, ge=1, le=120)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    trace: bool = Field(False, description="export OpenTelemetry spans to OTEL_EXPORTER_OTLP_ENDPOINT")
    secret: SecretStr | None = Field(
        None, description="signs tokens and webhooks; made and kept in the data folder for local use"
    )
    public_url: str | None = None
    body_limit: int = Field(256 * 1024, description="bytes of a request body")
    rate_limit: int = Field(600, ge=1, description="requests per caller and minute")
    login_limit: int = Field(10, ge=1, description="failed sign-ins per account or address and 15 minutes")

    smtp_url: str | None = Field(None, validation_alias="SMTP_URL", description="smtp://user:password@host:port")
    mail_from: str = "Agora <no-reply@agora.test>"

    kafka_bootstrap_servers: str | None = Field(None, validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_topic_prefix: str = Field("agora.", validation_alias="KAFKA_TOPIC_PREFIX", pattern=r"^[a-zA-Z0-9._-]*$")
    kafka_partitions: int = Field(
        6,
        ge=1,
        le=1000,
        validation_alias="KAFKA_PARTITIONS",
        description="of a new topic; also the most readers a group can use",
    )
    kafka_replication: int = Field(
        0,
        ge=0,
        le=9,
        validation_alias="KAFKA_REPLICATION",
        description="of a new topic; 0: three where there are three brokers",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", validation_alias="KAFKA_SASL_MECHANISM"
    )
    kafka_username: str | None = Field(None, validation_alias="KAFKA_USERNAME")
    kafka_password: SecretStr | None = Field(None, validation_alias="KAFKA_PASSWORD")
    kafka_ca_file: Path | None = Field(
        None, validation_alias="KAFKA_CA_FILE", description="else the system's authorities"
    )
    schema_registry_url: str | None = Field(None, validation_alias="SCHEMA_REGISTRY_URL")

    model: str = Field("auto", description="'offline' forces the planner; 'auto' uses the endpoint when a key is set")
    model_name: str = "gpt-5-mini"
    model_timeout: float = 20.0
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")

    @property
    def base_url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"


@lru_cache
def settings() -> Settings:
    return Settings()
