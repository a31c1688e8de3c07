"""Landing to S3 and loading from it, on a local server; S3's refusals in a user's words."""

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from local_aws import local_aws, made_up_credentials
from olist_platform.environment import Environment, S3Landing
from olist_platform.errors import OlistError
from olist_platform.landing.land import land_backfill, land_daily
from olist_platform.landing.s3_store import S3Store
from olist_platform.landing.store import S3Location, landing_store, open_store, parse_s3_url
from olist_platform.landing.stored_file import WriteOutcome
from olist_platform.raw_loading.loader import load_landing
from olist_platform.source_catalog import dataset_named

Query = Callable[[str], list[tuple[object, ...]]]

BUCKET = "olist-test-landing"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with local_aws() as address:
        yield address


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in made_up_credentials(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def store(server: str) -> Iterator[S3Store]:
    client = boto3.client("s3", endpoint_url=server)
    client.create_bucket(Bucket=BUCKET)
    yield S3Store(BUCKET, "some/prefix", endpoint_url=server)
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, body in {
        "orders": "o1,c1,delivered,2018-01-01 10:00:00,2018-01-02 10:00:00,,,\n",
        "sellers": "s1,01001,são paulo,SP\n",
    }.items():
        dataset = dataset_named(name)
        (folder / dataset.file_name).write_text(",".join(dataset.header) + "\n" + body)
    return folder


def test_land_and_load(
    store: S3Store, source: Path, environment: Environment, query: Query
) -> None:
    first = land_daily(source, store, allow_missing=True)
    assert (first.written, first.unchanged) == (3, 0)
    again = land_daily(source, store, allow_missing=True)
    assert (again.written, again.unchanged) == (0, 3)
    result = load_landing(environment, store)
    assert (result.loaded, result.rejected) == (3, ())
    assert query("select order_status, _source_file from raw.orders order by 2") == [
        ("created", "orders/dt=2018-01-01/olist_orders_dataset.csv.gz"),
        ("delivered", "orders/dt=2018-01-02/olist_orders_dataset.csv.gz"),
    ]
    repeated = load_landing(environment, store)
    assert (repeated.loaded, repeated.already_loaded, repeated.rows) == (0, 3, 0)
    (source / "olist_sellers_dataset.csv").write_text(
        ",".join(dataset_named("sellers").header) + "\ns1,01001,santos,SP\n"
    )
    assert land_daily(source, store, allow_missing=True).written == 1
    assert load_landing(environment, store).loaded == 1
    assert query("select seller_city from raw.sellers order by _loaded_at") == [
        ("são paulo",),
        ("santos",),
    ]


def test_a_listing_spans_pages_and_leaves_other_prefixes_alone(
    store: S3Store, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("s3", endpoint_url=server)
    client.put_object(Bucket=BUCKET, Key="some/prefix-2/x", Body=b"")
    client.put_object(Bucket=BUCKET, Key="some/prefix/folder/", Body=b"")
    for number in range(7):
        client.put_object(Bucket=BUCKET, Key=f"some/prefix/x{number}", Body=b"1")
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    page = client.list_objects_v2(Bucket=BUCKET)
    assert page["KeyCount"] == 2, "the server was to answer in small pages"
    assert [file.path for file in store.list_files()] == [f"x{number}" for number in range(7)]
    monkeypatch.delenv("MOTO_S3_DEFAULT_MAX_KEYS")


def test_faulty_objects_are_named(
    store: S3Store, source: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_backfill(source, store, allow_missing=True)
    bad = "orders/dt=2018-01-03/x.csv.gz"
    store.write(bad, io.BytesIO(b"no gzip"))
    result = load_landing(environment, store)
    assert [(file.path, file.reason) for file in result.rejected] == [(bad, "not a gzip file")]
    assert result.loaded == 2
    listed = store.list_files()
    store._client.delete_object(Bucket=BUCKET, Key=f"some/prefix/{bad}")
    monkeypatch.setattr(S3Store, "list_files", lambda _: listed)
    vanished = load_landing(environment, store)
    assert [file.path for file in vanished.rejected] == [bad]
    assert "it does not exist" in vanished.rejected[0].reason


def test_of_two_writers_at_once_neither_writes_over_the_other(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "sellers/dt=2018-01-01/x.csv.gz"
    looked = S3Store._checksum_of

    def overtaken(self: S3Store, key: str) -> str | None:
        found = looked(self, key)
        monkeypatch.setattr(S3Store, "_checksum_of", looked)
        S3Store(BUCKET, "some/prefix", endpoint_url=store._endpoint_url).write(
            path, io.BytesIO(b"first")
        )
        return found

    for content, outcome in ((b"other", WriteOutcome.TAKEN), (b"first", WriteOutcome.UNCHANGED)):
        monkeypatch.setattr(S3Store, "_checksum_of", overtaken)
        assert store.write(path, io.BytesIO(content)) is outcome
        with store.read(path) as kept:
            assert kept.read() == b"first"
        store._client.delete_object(Bucket=BUCKET, Key=f"some/prefix/{path}")


def test_the_url_is_parsed(server: str) -> None:
    store = open_store("s3://bucket/a/b/", endpoint_url=server)
    assert (store.url, store.parallelism) == ("s3://bucket/a/b", 8)
    assert open_store("s3://bucket").url == "s3://bucket"
    assert parse_s3_url("s3://bucket/a/b/") == S3Location("bucket", "a/b")
    assert parse_s3_url("s3://bucket//") == S3Location("bucket", "")


def test_an_environment_may_name_its_landing(environment: Environment) -> None:
    assert landing_store(environment).url == environment.landing_url
    assert landing_store(environment, url="s3://b/c").url == "s3://b/c"


def test_the_environments_endpoint_goes_with_its_own_bucket(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = S3Landing(
        kind="s3", aws_account_id="1" * 12, region="sa-east-1", endpoint_url="http://own:9000"
    )
    on_s3 = environment.model_copy(update={"landing": own})
    opened: list[tuple[str, str | None, str | None]] = []

    def open_place(url: str, *, endpoint_url: str | None, region: str | None) -> None:
        opened.append((url, endpoint_url, region))

    monkeypatch.setattr("olist_platform.landing.store.open_store", open_place)
    landing_store(on_s3)
    landing_store(on_s3, endpoint_url="http://told:9000")
    landing_store(on_s3, url="s3://other/x")
    landing_store(environment)
    assert opened == [
        (on_s3.landing_url, "http://own:9000", "sa-east-1"),
        (on_s3.landing_url, "http://told:9000", "sa-east-1"),
        ("s3://other/x", None, "sa-east-1"),
        (environment.landing_url, None, None),
    ]


def test_no_such_bucket(server: str) -> None:
    with pytest.raises(OlistError, match=r"s3://nothing-here/.*the bucket does not exist"):
        S3Store("nothing-here", endpoint_url=server).list_files()
    with pytest.raises(OlistError, match="the bucket does not exist"):
        S3Store("nothing-here", endpoint_url=server).write("x", io.BytesIO(b""))


def test_a_bad_bucket_name(server: str) -> None:
    with pytest.raises(OlistError, match="Invalid bucket name"):
        S3Store("No Bucket!", endpoint_url=server).list_files()


def test_no_credentials(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(OlistError, match="no AWS credentials") as raised:
        S3Store(BUCKET, endpoint_url=server).list_files()
    assert "AWS_ACCESS_KEY_ID" in raised.value.mend
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(OlistError, match="no AWS credentials"):
        S3Store(BUCKET, endpoint_url=server).list_files()


@pytest.mark.slow
def test_an_endpoint_that_does_not_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(OlistError, match=f"the S3 endpoint {endpoint} does not answer"):
            S3Store(BUCKET, endpoint_url=endpoint).list_files()


def test_an_endpoint_that_is_no_url() -> None:
    with pytest.raises(OlistError, match="Invalid endpoint"):
        S3Store(BUCKET, endpoint_url="nonsense").list_files()
