"""Named points where a test may kill or freeze the process. Free when off: one dictionary test.

`AGORA_FAULT=name:action` with action `kill` (SIGKILL to ourselves) or `stop` (SIGSTOP) arms one point, once.
"""

import os
import signal

_armed: dict[str, str] = dict([spec.rsplit(":", 1)]) if (spec := os.environ.get("AGORA_FAULT")) else {}
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def point(name: str) -> None:
    if _armed and (action := _armed.pop(name, None)):
        os.kill(os.getpid(), _SIGNALS[action])
