"""Files behind a URL are read like local ones, and each fault of a server is one sentence."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from nnfs_cli import train
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.feather.source import Feather
from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.jsonl.source import JsonLines
from nnfs_cli.data.parquet.source import Parquet
from nnfs_cli.errors import ConfigError, DataError, UserError
from nnfs_cli.inspection.table_profile import profile_file
from nnfs_cli.system.remote import store
from nnfs_cli.system.remote.file import RemoteFile, is_remote, location
from nnfs_cli.workflows.write_rows import write_rows
from tests.conftest import Nnfs, one_message
from tests.servers import Gcs, Web, free_port

FRAME = pandas.DataFrame({"y": range(20), "city": ["Köln", "Ulm"] * 10})
CSV = FRAME.to_csv(index=False).encode()
Site = tuple[str, type[Web]]


def content(suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == ".parquet":
        FRAME.to_parquet(buffer, index=False)
    elif suffix == ".feather":
        FRAME.to_feather(buffer)
    elif suffix == ".jsonl":
        buffer.write(FRAME.to_json(orient="records", lines=True).encode())
    else:
        buffer.write(gzip.compress(CSV) if suffix.endswith(".gz") else CSV)
    return buffer.getvalue()


def message(read: Callable[[], object], error: type[Exception] = DataError) -> str:
    with pytest.raises(error) as caught:
        read()
    return str(caught.value)


KINDS: dict[str, Any] = {".csv": Csv, ".csv.gz": Csv, ".parquet": Parquet, ".feather": Feather, ".jsonl": JsonLines}


@pytest.mark.parametrize("suffix", KINDS)
def test_a_file_of_a_web_server_is_downloaded_once_and_read_like_a_local_one(suffix: str, web: Site) -> None:
    url, site = web
    site.pages["/a/rows" + suffix] = content(suffix)
    source = KINDS[suffix](path=f"{url}/a/rows{suffix}", target=("y",))
    table = source.read()
    assert table.name == f"rows{suffix}"
    assert table.numbers("y").tolist() == [*range(20)]
    assert table.texts("city").tolist() == FRAME["city"].tolist()
    assert [chunk.n_rows for chunk in source.chunks({"y": "number"})] == [20]
    assert source.names() == ("y", "city")
    assert source.size() == len(content(suffix))
    assert len(source.sha256()) == 64
    assert source.stamp() == source.stamp()
    assert [path for path, _ in site.asked] == ["/a/rows" + suffix]


def test_init_reads_a_file_of_a_web_server(web: Site) -> None:
    url, site = web
    site.pages["/rows.csv"] = CSV.replace(b",", b";")
    profile = profile_file(location(f"{url}/rows.csv"), "y")
    assert profile.settings == {"delimiter": ";"}
    assert profile.n_rows == 20


@pytest.mark.parametrize(
    ("page", "error", "words"),
    [
        ((404, {}, b""), DataError, "there is no file http"),
        ((403, {}, b"no"), UserError, "the server denies access (403)"),
        ((500, {}, b"oops"), OSError, "the server answers 500"),
        ((200, {"Content-Length": 900}, CSV), OSError, f"closed the connection after {len(CSV)} of 900 bytes"),
        ((302, {"Location": "file:///etc/passwd"}, b""), (UserError, OSError), ""),
        ((302, {"Location": "ftp://127.0.0.1/a.csv"}, b""), UserError, "redirects to another kind of address"),
    ],
)  # fmt: skip
def test_a_fault_of_a_web_server_is_one_sentence(page: Any, error: Any, words: str, web: Site) -> None:
    url, site = web
    site.pages["/rows.csv"] = page
    said = message(Csv(path=f"{url}/rows.csv", target=("y",)).read, error)
    assert words in said
    assert "\n" not in said


def test_a_server_that_is_not_there_is_an_error_of_the_machine() -> None:
    said = message(Csv(path=f"http://127.0.0.1:{free_port()}/rows.csv", target=("y",)).read, OSError)
    assert "the server cannot be read: Connection refused; try again later" in said


def test_a_redirect_is_followed(web: Site) -> None:
    url, site = web
    site.pages |= {"/old.csv": (302, {"Location": "/new.csv"}, b""), "/new.csv": CSV}
    assert Csv(path=f"{url}/old.csv", target=("y",)).read().n_rows == 20


def test_tokens_come_from_the_environment_and_passwords_from_netrc(
    web: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, site = web
    site.pages["/rows.csv?token=a%2Fb"] = CSV
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password sesame")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NNFS_TOKEN", "a/b")
    source = Csv(path=f"{url}/rows.csv?token=${{NNFS_TOKEN}}", target=("y",))
    assert source.read().n_rows == 20
    assert site.asked[0][1]["Authorization"] == "Basic YW5uOnNlc2FtZQ=="
    assert source.plain()["csv"]["path"] == f"{url}/rows.csv?token=${{NNFS_TOKEN}}"  # type: ignore[index]
    said = message(lambda: Csv(path=f"{url}/rows.csv?token=a%2Fb", target=("y",)), ConfigError)
    assert "this URL holds a password or a token" in said


def test_a_url_survives_path_which_joins_slashes() -> None:
    assert location(Path("s3://bucket/a.csv")) == RemoteFile("s3://bucket/a.csv")
    assert not is_remote("c:/a.csv")
    assert not is_remote("a/s3:/b")
    assert location("a.csv") == Path("a.csv")
    assert RemoteFile("https://x.org/a%20b.csv?v=1").name == "a b.csv"


# --- stores of objects ------------------------------------------------------------------------------------------------


def put(url: str, data: bytes) -> None:
    store.upload(url, io.BytesIO(data))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", KINDS)
def test_an_object_is_read_like_a_local_file(suffix: str, bucket: str) -> None:
    put(f"{bucket}/a b/rows{suffix}", content(suffix))
    table = KINDS[suffix](path=f"{bucket}/a b/rows{suffix}", target=("y",)).read()
    assert table.numbers("y").tolist() == [*range(20)]
    assert table.texts("city").tolist() == FRAME["city"].tolist()


@pytest.mark.slow
def test_patterns_and_folders_of_partitions_name_several_objects(bucket: str) -> None:
    for year in (2024, 2025):
        put(f"{bucket}/sales/year={year}/part.parquet", content(".parquet"))
        put(f"{bucket}/part-{year}.csv", CSV)
    assert Csv(path=f"{bucket}/part-*.csv", target=("y",)).read().n_rows == 40
    assert Csv(path=f"{bucket}/part-202?.csv", target=("y",)).read().n_rows == 40
    source = source_for(location(f"{bucket}/sales/"), Csv(path="t.csv", target=("y",)))
    assert source.read().numbers("year").tolist() == [2024] * 20 + [2025] * 20


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather", ".jsonl"])
def test_predictions_become_an_object_or_nothing(suffix: str, bucket: str) -> None:
    write_rows([{"y": FRAME["y"].to_numpy()}] * 2, f"{bucket}/out{suffix}")
    source = source_for(location(f"{bucket}/out{suffix}"), Csv(path="t.csv", target=("y",)))
    assert source.read().n_rows == 40

    def failing() -> Any:
        yield {"y": FRAME["y"].to_numpy()}
        raise ValueError("no second block")

    with pytest.raises(ValueError, match="no second block"):
        write_rows(failing(), f"{bucket}/none{suffix}")
    assert "there is no file" in message(Csv(path=f"{bucket}/none{suffix}", target=("y",)).read)


@pytest.mark.slow
def test_a_store_that_is_not_there_is_an_error_of_the_machine(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no file" in message(Csv(path=f"{bucket}/none.csv", target=("y",)).read)
    assert "there is no file" in message(Csv(path="s3://no-such-bucket-here/none.csv", target=("y",)).read)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert "the store cannot be reached" in message(Csv(path=f"{bucket}/none.csv", target=("y",)).read, OSError)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    FRAME.to_csv(tmp_path / "train.csv", index=False)
    rest = {"layers": ["linear: 1"], "loss": "mse", "epochs": 1, "preprocessing": {"categories": "one_hot"}}
    data = {"csv": {"path": str(tmp_path / "train.csv"), "target": "y"}}
    return Path(train({"dataset": data, **rest}, folder=tmp_path).path).absolute()


def refusal_of_cut(inside: Nnfs, run: Path, url: str, folder: Path) -> str:
    """The only line of a prediction for a file that does not come whole; nothing is written."""
    before = {*folder.rglob("*")}
    done = inside("predict", "--run", run, "--input", url, "--output", "new.csv", "-q")
    assert {*folder.rglob("*")} == before
    return one_message(done, 4)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_object_of_s3_that_is_cut_short_leaves_nothing_half_written(
    suffix: str, web: Site, inside: Nnfs, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, site = web
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    whole = content(suffix)
    site.pages[f"/b/rows{suffix}"] = (200, {"Content-Length": len(whole) + 900, "ETag": '"1"'}, whole)
    said = refusal_of_cut(inside, trained, f"s3://b/rows{suffix}", tmp_path)
    assert said == f"error: s3://b/rows{suffix}: the store closed the connection too early; try again later\n"
    assert len(site.asked) > 2  # it was tried again


@pytest.mark.slow
@pytest.mark.parametrize("suffix", KINDS)
def test_an_object_of_google_is_read_like_a_local_file(suffix: str, google: type[Gcs]) -> None:
    google.pages[f"a b/rows{suffix}"] = content(suffix)
    source = KINDS[suffix](path=f"gs://rows/a b/rows{suffix}", target=("y",))
    table = source.read()
    assert table.numbers("y").tolist() == [*range(20)]
    assert table.texts("city").tolist() == FRAME["city"].tolist()
    assert sum("alt=media" in path for path, _ in google.asked) == 1
    assert "there is no file gs://rows/b.csv" in message(Csv(path="gs://rows/b.csv", target=("y",)).read)


@pytest.mark.slow
def test_a_store_of_google_is_listed_and_written_to(google: type[Gcs]) -> None:
    for year in (2024, 2025):
        write_rows([{"y": FRAME["y"].to_numpy()}], f"gs://rows/sales/year={year}/part.parquet")
        google.pages[f"part-{year}.csv"] = CSV
    assert Csv(path="gs://rows/part-*.csv", target=("y",)).read().n_rows == 40
    source = source_for(location("gs://rows/sales/"), Csv(path="t.csv", target=("y",)))
    assert source.read().numbers("year").tolist() == [2024] * 20 + [2025] * 20

    def failing() -> Any:
        yield {"y": FRAME["y"].to_numpy()}
        raise ValueError("no second block")

    with pytest.raises(ValueError, match="no second block"):
        write_rows(failing(), "gs://rows/none.csv")
    assert "none.csv" not in google.pages


@pytest.mark.slow
def test_an_object_of_google_that_is_cut_short_leaves_nothing_half_written(
    google: type[Gcs], inside: Nnfs, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "TIMEOUT", 1)
    google.pages["rows.csv"] = CSV
    google.cut.add("rows.csv")
    said = refusal_of_cut(inside, trained, "gs://rows/rows.csv", tmp_path)
    assert said == "error: gs://rows/rows.csv: the store closed the connection too early; try again later\n"


def test_a_folder_of_objects_leaves_out_hidden_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        "/t/a.parquet",
        "/t/_SUCCESS.parquet",
        "/t/year=1/b.parquet",
        "/t/.x/c.parquet",
        "/t/d.csv",
        "/u/e.parquet",
    ]
    monkeypatch.setattr(store, "names_at", lambda url: [*names, "/u/e.parquet"])
    found = [file.url for file in RemoteFile("s3://bucket/t/").files((".parquet",))]
    assert found == ["s3://bucket/t/a.parquet", "s3://bucket/t/year=1/b.parquet"]
