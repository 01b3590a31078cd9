"""What a shell offers when one presses the tab key, by the protocol that the installed scripts use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nnfs_cli.cli import app, completion
from nnfs_cli.cli.components import _blocks
from nnfs_cli.cli.declared_names import families, settings_of, values_of
from nnfs_cli.cli.guide import pages
from nnfs_cli.components.component import Component
from nnfs_cli.config.config import Config
from tests.conftest import CONFIGS, Nnfs

Complete = Callable[..., list[str]]
posix = pytest.mark.skipif(os.name != "posix", reason="bash is a shell of Unix")


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What a shell is offered for a line, cut into words as bash cuts them; the cursor is behind the last one."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, of: str = "bash") -> list[str]:
        line = ["nnfs", *words]
        variables = {"COMP_WORDS": "\n".join(line), "COMP_CWORD": str(len(line) - 1)}
        if of == "fish":
            variables = {"_TYPER_COMPLETE_ARGS": " ".join(line), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        with monkeypatch.context() as patch:
            for name in ("COMP_WORDS", "COMP_CWORD"):
                patch.delenv(name, raising=False)
            for name, value in {**variables, "_NNFS_COMPLETE": f"complete_{of}"}.items():
                patch.setenv(name, value)
            completion.rejoin_words()
            done = CliRunner().invoke(app, prog_name="nnfs")
        assert done.exit_code == 0
        return done.stdout.splitlines()

    return run


def test_names_that_are_read_from_the_source_are_those_that_are_declared() -> None:
    assert families() == {family: sorted(base.registered) for family, base in Component.families.items()}
    for key, block in _blocks().items():
        assert sorted(settings_of("" if key == "config" else key)) == sorted(block.model_fields)
    assert list(settings_of("")) == list(Config.model_fields)
    assert values_of("optimizer") == families()["optimizer"]
    assert values_of("dtype") == ["float32", "float64"]
    assert values_of("shuffle") == values_of("split.stratify") == ["true", "false"]
    assert values_of("split.validation") == ["0.2"]
    assert values_of("wibble") == values_of("layers") == []


def test_commands_and_components(complete: Complete) -> None:
    assert complete("tra") == ["train", "trace"]
    assert complete("components", "rel") == ["relu"]
    assert {"losses", "log_loss", "log_cosh"} <= set(complete("components", "lo"))
    assert complete("components", "early") == ["early_stopping"]
    assert set(complete("guide", "")) == set(pages.topics())
    assert set(complete("evaluate", "--split", "")) == {"train", "validation", "test"}
    assert complete("evaluate", "--metrics", "f1,roc") == ["f1,roc_auc"]
    assert complete("decide", "--threshold", "best_f") == ["best_f1"]
    assert complete("train", "c.yaml", "--track", "") == ["csv", "mlflow", "tensorboard"]


def test_settings_and_their_values(complete: Complete, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("dataset: iris\nepochs: 37  # few\n")
    assert {"lr=", "optimizer=", "epochs="} <= set(complete("train", "c.yaml", "--set", ""))
    assert complete("train", "c.yaml", "--set", "epo") == ["epochs=", "epochs=37"]
    assert complete("train", "c.yaml", "--set", "split.va") == ["split.validation=", "split.validation=0.2"]
    assert "optimizer=adam" in complete("train", "c.yaml", "--set", "optim")
    assert complete("train", "c.yaml", "--set", "optimizer", "=", "adam") == ["adam", "adamw"]
    assert complete("train", "c.yaml", "--set", "dtype", "=", "") == ["float32", "float64"]
    assert complete("train", "c.yaml", "--set", "lr", "=", "0.1", "--set", "dtype", "=", "float3") == ["float32"]
    assert complete("train", "c.yaml", "--set", "=", "dtyp") == ["dtype=", "dtype=float32", "dtype=float64"]
    assert complete("train", "c.yaml", "--set", "optimizer=adam", of="fish") == ["optimizer=adam", "optimizer=adamw"]


def test_files_and_runs(complete: Complete, inside: Nnfs, tmp_path: Path) -> None:
    shutil.copytree(CONFIGS / "examples", tmp_path / "configs" / "examples")
    (tmp_path / "xor.yaml").write_text((CONFIGS / "xor.yaml").read_text())
    assert inside("train", "xor.yaml", "-q", "--set", "epochs=1").returncode == 0
    assert complete("train", "") == ["configs/examples/flowers.yaml", "xor.yaml"]
    assert complete("train", "configs/e") == ["configs/examples/flowers.yaml"]
    assert "configs/examples/houses.csv" in complete("init", "configs/")
    assert complete("evaluate", "") == complete("predict", "--run", "ru") == ["runs/xor-1"]
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert complete("resume", "elsewhere/") == ["elsewhere/xor-1"]


def test_a_completion_imports_nothing_slow(tmp_path: Path) -> None:
    words = ["nnfs", "train", "c.yaml", "--set", "optimizer"]
    variables = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": "4", "_NNFS_COMPLETE": "complete_bash"}
    command = [sys.executable, "-X", "importtime", "-m", "nnfs_cli"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "optimizer=adam" in done.stdout.split()
    assert not imported & {"numpy", "scipy", "sklearn", "pyarrow", "rich", "yaml"}


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_takes_the_script_that_is_shown(tmp_path: Path) -> None:
    name = Path(sys.executable).with_name("nnfs")
    script = f"""
        source <({name} --show-completion)
        COMP_WORDS=(nnfs components rel); COMP_CWORD=2
        _nnfs_completion {name}
        echo "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PATH": f"{name.parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "--norc", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "relu\n", done.stderr
