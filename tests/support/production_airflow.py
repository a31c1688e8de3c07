"""Airflow's parts, each started as a container of the image starts it: by the entry point."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENTRYPOINT = Path(sys.executable).with_name("olist-entrypoint")
_LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class ProductionAirflow:
    """An installation: its variables are those that a container would be given."""

    home: Path
    port: int
    variables: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *command: str) -> str:
        """Run a program through the entry point to its end; return what it printed."""
        result = subprocess.run(
            [ENTRYPOINT, *command],
            env=self.variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    @contextmanager
    def services(self, *names: str) -> Iterator[dict[str, int]]:
        """Run Airflow's parts through the entry point; the value is each one's process."""
        processes = []
        try:
            for name in names:
                with (self.home / f"{name}.log").open("wb") as log:
                    process = subprocess.Popen(
                        [ENTRYPOINT, "airflow", name],
                        env=self.variables,
                        cwd=self.home,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                processes.append(process)
            yield {name: process.pid for name, process in zip(names, processes, strict=True)}
        finally:
            # As a container is stopped: first the part is told, then whatever is left goes.
            for process in processes:
                process.terminate()
            for process in processes:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def ask(self, path: str, token: str | None = None, body: object = None) -> Any:
        """Ask Airflow's API; return what it answers."""
        request = urllib.request.Request(  # noqa: S310 - a server of this test
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        with _LOCAL.open(request, timeout=30) as response:
            return json.load(response)

    def wait_for(self, path: str, condition: Any, token: str | None = None) -> Any:
        """Ask until the answer is as it should be; a part that is not up yet is waited for."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = self.ask(path, token)
                if condition(answer):
                    return answer
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                answer = error
            assert time.monotonic() < end, f"{answer}\n{self.logs()}"
            time.sleep(0.5)

    def logs(self) -> str:
        """The ends of what the parts said."""
        texts = {path.name: path.read_text(errors="replace") for path in self.home.glob("*.log")}
        return "\n".join(f"== {name}\n{text[-3000:]}" for name, text in sorted(texts.items()))
