#!/usr/bin/env python3
"""Stands for the Pulumi CLI on PATH: a stack is the text of its program, written to a folder.

`PULUMI_STAND_IN` names the folder. `calls.jsonl` in it is what was called; `<stack>.program` what
a stack is; `orders.json` tells it, by "<command> <stack>", to `fail`, to `kill` who called it after
its work, or to `wait` until the file `go-on` is there.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> int:
    """Do as `pulumi` would."""
    folder = Path(os.environ["PULUMI_STAND_IN"])
    arguments = sys.argv[1:]
    program = Path(arguments[arguments.index("-C") + 1]) / "__main__.py"
    stack = arguments[arguments.index("--stack") + 1].rpartition("/")[2]
    command = next(word for word in arguments if word in {"preview", "up"})
    with (folder / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"command": command, "stack": stack, "arguments": arguments}) + "\n")
    orders = folder / "orders.json"
    order = json.loads(orders.read_text()).get(f"{command} {stack}") if orders.exists() else None
    if order == "fail":
        sys.stderr.write("error: the provider does not answer\n")
        return 1
    if order == "wait":
        (folder / "waiting").touch()
        while not (folder / "go-on").exists():
            time.sleep(0.05)
    standing = folder / f"{stack}.program"
    wanted = program.read_text(encoding="utf-8")
    if command == "preview":
        stands = standing.exists() and standing.read_text(encoding="utf-8") == wanted
        sys.stdout.write(json.dumps({"changeSummary": {"same": 2} if stands else {"update": 1}}))
        return 0
    standing.write_text(wanted, encoding="utf-8")
    if order == "kill":
        orders.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
