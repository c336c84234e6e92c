"""Every setting of the process, in one place. Names are environment variables; a bad value stops the start."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start. Durations are seconds."""

    model_config = SettingsConfigDict(env_prefix="AGORA_", extra="ignore", populate_by_name=True)

    host: str = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8000, ge=1, le=65535, description="port the API listens on")
    data_dir: Path = Field(Path(".agora"), description="everything Agora writes: database, mails, secret")
    demo: bool = Field(False, description="fixes the demo users' password to `demo-password`")
    environment: Literal["local", "test", "production"] = Field(
        "local", description="`production` refuses to start without AGORA_SECRET"
    )
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        pattern="^postgres(ql)?://",
        description="a PostgreSQL server of your own (16 or newer); unset: the embedded one",
    )
    pool_size: int = Field(12, ge=1, le=200, description="database connections per process")
    statement_timeout: float = Field(5.0, gt=0, description="seconds a statement, or an idle transaction, may take")
    lock_timeout: float = Field(3.0, gt=0, description="seconds to wait for a row somebody else holds")
    saga_lease: float = Field(30.0, gt=0, description="seconds until another worker takes over a silent saga")
    checkout_wait: float = Field(
        2.5, ge=0, description="seconds a checkout waits for its own saga before it answers 'pending'"
    )
    hold_minutes: int = Field(10, ge=1, le=120, description="minutes stock waits for its payment")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="JSON lines on stderr")
    trace: bool = Field(False, description="export OpenTelemetry spans to OTEL_EXPORTER_OTLP_ENDPOINT")
    secret: SecretStr | None = Field(
        None, description="signs tokens and webhooks; made and kept in the data folder for local use"
    )
    public_url: str | None = Field(None, pattern="^https?://", description="the address others reach the API by")
    body_limit: int = Field(256 * 1024, ge=1024, description="bytes of a request body")
    rate_limit: int = Field(600, ge=1, description="requests per caller and minute")
    login_limit: int = Field(10, ge=1, description="failed sign-ins per account or address and 15 minutes")

    smtp_url: str | None = Field(
        None,
        validation_alias="SMTP_URL",
        pattern="^smtps?://",
        description="smtp://user:password@host:port; unset: mails become files in the data folder",
    )
    mail_from: str = Field("Agora <no-reply@agora.test>", description="sender of every mail")

    carrier_url: str | None = Field(
        None, pattern="^https?://", description="an EasyPost-compatible API of carriers; unset: the shop's own tables"
    )
    carrier_key: SecretStr | None = Field(None, description="our key there")
    carrier_webhook_secret: SecretStr | None = Field(
        None, description="signs its notices; two with a comma between them while one replaces the other"
    )
    carrier_timeout: float = Field(
        3.0, gt=0, le=30, description="seconds a carrier may take to answer; rates then come from the tables"
    )
    carrier_label_host: str | None = Field(None, description="host its label files come from, beside the API's own")

    kafka_bootstrap_servers: str | None = Field(
        None, validation_alias="KAFKA_BOOTSTRAP_SERVERS", description="host:port, ...; unset: events stay in PostgreSQL"
    )
    kafka_topic_prefix: str = Field(
        "agora.",
        validation_alias="KAFKA_TOPIC_PREFIX",
        pattern=r"^[a-zA-Z0-9._-]*$",
        description="what the names of our topics begin with",
    )
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
        "PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL", description="how brokers are spoken to"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", validation_alias="KAFKA_SASL_MECHANISM", description="how we sign in to them"
    )
    kafka_username: str | None = Field(None, validation_alias="KAFKA_USERNAME", description="who we are there")
    kafka_password: SecretStr | None = Field(
        None, validation_alias="KAFKA_PASSWORD", description="and the secret for it"
    )
    kafka_ca_file: Path | None = Field(
        None, validation_alias="KAFKA_CA_FILE", description="authority of the brokers; unset: the system's"
    )
    schema_registry_url: str | None = Field(
        None, validation_alias="SCHEMA_REGISTRY_URL", description="registry of event schemas; unset: an embedded table"
    )

    model: str = Field("auto", description="'offline' forces the planner; 'auto' uses the endpoint when a key is set")
    model_name: str = Field("gpt-5-mini", description="the endpoint's name of the model")
    model_name_small: str | None = Field(None, description="a cheaper model for simple turns; unset: the same")
    model_patience: float = Field(
        1.5,
        gt=0,
        le=30,
        description="seconds a model may be silent, before or within its answer; then the planner answers",
    )
    model_timeout: float = Field(20.0, gt=0, le=30, description="seconds a model may take for one whole answer")
    model_price_in: float = Field(0.0, ge=0, description="price of a million input tokens, for the record of costs")
    model_price_out: float = Field(0.0, ge=0, description="price of a million output tokens, for the record of costs")
    chat_warm: bool = Field(False, description="load the agents at start, not with the first message; `agora up` does")
    chat_idle_days: int = Field(
        180, ge=1, le=3650, description="days without a word until a conversation is deleted with its memory"
    )
    chroma_url: str | None = Field(
        None,
        validation_alias="CHROMA_URL",
        pattern="^https?://",
        description="a Chroma server that all processes share; unset: each has an index of its own in the data folder",
    )
    fact_days: int = Field(365, ge=1, le=3650, description="days that a chat remembers what somebody told it to")
    openai_base_url: str | None = Field(
        None, validation_alias="OPENAI_BASE_URL", pattern="^https?://", description="any OpenAI-compatible endpoint"
    )
    openai_api_key: SecretStr | None = Field(
        None, validation_alias="OPENAI_API_KEY", description="a model answers chat once this is set"
    )

    @property
    def base_url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"


@lru_cache
def settings() -> Settings:
    return Settings()
