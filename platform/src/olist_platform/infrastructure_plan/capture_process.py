"""Capture the program of this process's checkout and write it to standard output.

`python -m olist_platform.infrastructure_plan.capture_process <environment>` is how another
checkout's code, which must not be mixed with the running one, is captured.
"""

import json
import sys

from olist_platform.environment import load_environment, parse_environment_name
from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_json import to_json
from olist_platform.infrastructure_plan.captured_program import capture_program


def main(environment_name: str) -> int:
    """Write the capture, or the user's error, as JSON; return the exit code."""
    try:
        text = to_json(capture_program(load_environment(parse_environment_name(environment_name))))
    except OlistError as error:
        sys.stderr.write(json.dumps({"message": error.message, "mend": error.mend}))
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
