"""A port of this machine that nobody listens on."""

import socket


def free_port() -> int:
    """Return its number; it is free now, and nothing keeps it so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
