"""Kafka brokers for tests, each a process of its own on 127.0.0.1: the wheel `noida-db`, and Apache Kafka itself.

`python -m tests.factories.kafka` fetches Apache Kafka's jars (by their Maven coordinates, into `.agora/kafka`) and
proves that a broker starts and stops.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".agora" / "kafka"
APACHE_VERSION = "4.4.0"
FETCH_SECONDS, START_SECONDS, STOP_SECONDS = 600, 60, 30

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>agora</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{APACHE_VERSION}</version>
  </dependency></dependencies>
</project>
"""

PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.enable=false
num.io.threads=2
num.network.threads=2
"""


class BrokerUnavailable(RuntimeError):
    """The broker cannot run here; the text says what is missing."""


class Broker(ABC):
    """One broker. It keeps its port and its data over a restart; `wipe` takes the data, `kill` gives no time to save."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="agora-kafka-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it, in the foreground."""

    async def start(self) -> None:
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(await asyncio.to_thread(self.command), stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not await self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                tail = (self.folder / "broker.log").read_text(errors="replace")[-2000:]
                raise BrokerUnavailable(f"{type(self).__name__} did not start: {tail}")
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def wipe(self) -> None:
        """Forgets every topic, record and group."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    async def remove(self) -> None:
        await self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            await asyncio.to_thread(process.wait, STOP_SECONDS)

    async def _answers(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers, request_timeout_ms=2000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()


class Noida(Broker):
    """The binary inside the wheel: its Python wrapper would keep the signals to itself."""

    def command(self) -> list[str]:
        spec = find_spec("noida_db")
        if spec is None or not spec.origin:
            raise BrokerUnavailable("the package noida-db is missing: run `make install`")
        binary = Path(spec.origin).with_name("noida-db")
        return [
            str(binary),
            "start",
            "--only",
            "kafka",
            "--data-dir",
            str(self.folder / "data"),
            "--kafka-port",
            str(self.port),
        ]


class Apache(Broker):
    """One node that is broker and controller (KRaft)."""

    def __init__(self) -> None:
        super().__init__()
        self.controller = free_port()

    def command(self) -> list[str]:
        java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars()}/*"]
        properties = self.folder / "server.properties"
        data = self.folder / "data"
        properties.write_text(PROPERTIES.format(port=self.port, controller=self.controller, data=data))
        if not data.exists():
            format_it = ["kafka.tools.StorageTool", "format", "-t", "QWdvcmFUZXN0cy1LYWZrYQ", "-c", str(properties)]
            done = subprocess.run([*java, *format_it], capture_output=True, text=True)
            if done.returncode:
                raise BrokerUnavailable(f"the storage was not formatted: {done.stderr[-500:]}")
        return [*java, "kafka.Kafka", str(properties)]


def jars() -> Path:
    """The folder with Apache Kafka and what it needs, fetched once per version."""
    folder = CACHE / APACHE_VERSION
    if folder.exists():
        return folder
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise BrokerUnavailable(
                f"`{program}` is missing: Apache Kafka needs Java 17 or newer, and Maven to fetch it"
            )
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "pom.xml").write_text(POM)
    fetched = Path(tempfile.mkdtemp(dir=CACHE))
    command = ["mvn", "-q", "-B", "-f", str(CACHE / "pom.xml"), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS)
    if done.returncode or not list(fetched.glob("kafka_2.13-*.jar")):
        shutil.rmtree(fetched, ignore_errors=True)
        raise BrokerUnavailable(f"Apache Kafka {APACHE_VERSION} was not fetched: {(done.stdout + done.stderr)[-500:]}")
    os.rename(fetched, folder)
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def main() -> None:
    began = time.monotonic()
    broker = Apache()
    try:
        jars()
        fetched = time.monotonic()
        await broker.start()
        print(
            f"jars {fetched - began:.1f} s, Apache Kafka {APACHE_VERSION} ready after {time.monotonic() - fetched:.1f} s"
        )
        await broker.stop()
    except BrokerUnavailable as unavailable:
        raise SystemExit(f"kafka: {unavailable}") from None
    finally:
        await broker.remove()


if __name__ == "__main__":
    asyncio.run(main())
