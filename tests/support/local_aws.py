"""A local AWS: moto's server, and credentials that reach nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from moto.server import ThreadedMotoServer


@contextmanager
def local_aws() -> Iterator[str]:
    """Run moto's server on a free port, with nothing in it; the value is its address."""
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        address = f"http://{host}:{port}"
        empty(address)
        yield address
    finally:
        moto.stop()


def empty(address: str) -> None:
    """Remove everything that was made there: servers of one process share it."""
    URLLib3Session().send(AWSRequest("POST", f"{address}/moto-api/reset").prepare())


def made_up_credentials(folder: Path) -> dict[str, str]:
    """Variables of made-up credentials, with a person's own files out of sight."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
    }
