"""What commands report besides their result, and how it fits a terminal."""

# ruff: noqa: F811 - fixtures are imported

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import guide
from tests.cli.test_cli import COLOUR, CONFIG, CONTROL, Terminal, Write, points, posix, terminal  # noqa: F401
from tests.conftest import ROOT, Nnfs, one_message

ENSEMBLE = CONFIG + "members: 3\nholdout: fold\n"


def plain(shown: str) -> list[str]:
    """Return the lines that a terminal shows, without colours and carriage returns."""
    return CONTROL.sub("", COLOUR.sub("", shown)).replace("\r", "").splitlines()


# Evaluate


def test_evaluate_says_which_threshold_its_figures_are_for(points: Path, inside: Nnfs) -> None:
    assert inside("train", "config.yaml", "-q").returncode == 0
    none = "threshold   none; these figures are for the class of the highest probability\n"
    assert none in inside("evaluate", "runs/config-1", "--threshold", "none").stderr
    assert "'low' at probability 0.0000 or more" in inside("decide", "runs/config-1", "--threshold", "-0", "-q").stdout
    assert inside("decide", "runs/config-1", "--threshold", "0.9", "-q").stderr == ""
    assert "0.9000 or more (kept; `nnfs predict` uses it)\n" in inside("evaluate", "runs/config-1").stderr
    assert "0.4000 or more (not kept; " in inside("evaluate", "runs/config-1", "--threshold", "0.4").stderr
    assert inside("decide", "runs/config-1", "--threshold", "none").returncode == 0
    assert "threshold" not in inside("evaluate", "runs/config-1").stderr


def test_a_threshold_chosen_on_the_scored_rows_gets_a_note(points: Path, inside: Nnfs) -> None:
    assert inside("train", "config.yaml", "-q").returncode == 0
    note = "note        the threshold was chosen on these validation rows, so their figures are a little too good\n"
    assert note in inside("evaluate", "runs/config-1", "--threshold", "best_f1").stderr
    assert note not in inside("evaluate", "runs/config-1", "--threshold", "0.4").stderr
    assert note not in inside("evaluate", "runs/config-1", "--threshold", "best_f1", "--input", "points.csv").stderr


# Cross-validation and baselines


def test_cv_reports_a_file_that_it_replaces_and_is_silent_if_quiet(points: Path, inside: Nnfs) -> None:
    done = inside("cv", "config.yaml", "--folds", "2")
    assert "output      config-cv.csv, 60 predictions\n\n" in done.stderr
    assert (
        "output      config-cv.csv (replaced), 60 predictions\n" in inside("cv", "config.yaml", "--folds", "2").stderr
    )
    quiet = inside("cv", "config.yaml", "--folds", "2", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, done.stdout, "")


def test_an_empty_line_parts_the_baselines_from_their_figures(points: Path, inside: Nnfs) -> None:
    assert re.search(r"\nboosting +\w+\n\nnext", inside("baseline", "config.yaml").stderr)
    assert inside("baseline", "config.yaml", "--quiet").stderr == ""


# Training


def test_a_holdout_is_named_behind_the_validation_figures(points: Path, inside: Nnfs, write: Write) -> None:
    write("config.yaml", ENSEMBLE)
    shown = inside("train", "config.yaml").stderr
    assert "model       3 nets, each 2 -> linear 1; 9 parameters in all\n" in shown
    assert re.search(r"\nvalidation  loss .+ \([0-9]+ rows, out of fold\)\n", shown)


def test_resume_checks_the_epochs_before_it_announces_anything(points: Path, inside: Nnfs, write: Write) -> None:
    write("config.yaml", CONFIG.replace("epochs: 3", "epochs: 99\nearly_stopping: {patience: 1, min_delta: 9}"))
    assert inside("train", "config.yaml", "-q").returncode == 0
    message = one_message(inside("resume", "runs/config-1", "--epochs", "2"), 2)
    assert re.fullmatch(r"error: runs/config-1 has done \d epochs; --epochs is a total and must be larger\n", message)


# Predict


def test_calibration_that_changes_nothing_is_not_reported(capsys: pytest.CaptureFixture[str]) -> None:
    from nnfs_cli.cli.predict import _report_calibration
    from nnfs_cli.prediction.calibration import ClassCalibration
    from nnfs_cli.prediction.calibration.class_scores import ClassScores

    scores = (ClassScores.from_rows(np.linspace(0, 1, 7)), ClassScores.from_rows(np.linspace(0, 1, 5)))
    for errors, reported in (((0.0992, 0.0992), False), ((0.0992, 0.0812), True)):
        _report_calibration(ClassCalibration("validation", scores, errors=errors), 0.9, ["no", "yes"])
        shown = capsys.readouterr().err
        assert "sets        90 % for each class, calibrated on 12 validation rows\n" in shown
        assert ("calibrated  with temperature" in shown) is reported
        assert ("on these validation rows: 0.0992 before" in shown) is reported


def test_sets_of_an_earlier_run_hold_of_all_classes_together_and_later_ones_say_their_size(
    points: Path, inside: Nnfs
) -> None:
    fixtures = ROOT / "tests" / "runs" / "fixtures"
    shutil.copytree(fixtures / "flowers-1", points / "flowers-1")
    rows = ["predict", "--input", fixtures / "flowers.csv", "--interval", "0.9", "--run"]
    shown = inside(*rows, "flowers-1").stderr
    assert "sets        90 % for all classes together, calibrated on 30 validation rows; they hold the truth" in shown
    assert "on average" not in shown
    rows[2] = "points.csv"
    assert inside("train", "config.yaml", "-q").returncode == 0
    (sets,) = [line for line in inside(*rows, "runs/config-1").stderr.splitlines() if line.startswith("sets ")]
    assert re.search(r"90 % for each class, .*; a set holds [12]\.[0-9] of 2 classes on average$", sets)


# Terminals


@posix
def test_the_table_of_a_long_training_tells_that_epochs_are_left_out(
    points: Path,
    terminal: Terminal,
) -> None:
    _, shown = terminal("train", "config.yaml", "--set", "epochs=200", TERM="xterm")
    assert any("epochs is shown; the log of the run has more" in line for line in plain(shown))
    _, shown = terminal("train", "config.yaml")
    assert "is shown" not in shown


@posix
def test_a_message_that_fits_the_terminal_is_not_folded(points: Path, terminal: Terminal, write: Write) -> None:
    write("config.yaml", CONFIG.replace("target: group", "target: group, delimitr: ;"))
    _, shown = terminal("train", "config.yaml", COLUMNS="100")
    first, *_ = plain(shown)
    assert first.startswith("config.yaml:1:")
    for columns in (len(first), len(first) + 1):
        _, shown = terminal("train", "config.yaml", COLUMNS=str(columns))
        assert plain(shown)[0] == first
    assert first.endswith("did you mean 'delimiter'?")


@posix
@pytest.mark.parametrize("columns", [50, 80])
def test_an_excerpt_is_cut_to_the_terminal_with_its_carets(
    columns: int,
    terminal: Terminal,
    write: Write,
) -> None:
    write("config.yaml", f"dataset: iris  {'#' * 20}\nlayers: [{'relu, ' * 14}wibble]\nloss: mse\n")
    _, shown = terminal("train", "config.yaml", COLUMNS=str(columns))
    lines = plain(shown)
    assert max(map(len, lines)) <= columns
    pairs = itertools.pairwise(line for line in lines if line[5:8] == " | ")
    excerpt, carets = next((line, carets) for line, carets in pairs if "wibble" in line and "^" in carets)
    assert excerpt[carets.index("^") : carets.rindex("^") + 1] == "wibble"


@posix
def test_narrow_terminals_break_no_row_of_the_drift_table(points: Path, terminal: Terminal) -> None:
    assert terminal("train", "config.yaml", "-q")[0] == 0
    for columns, header in (
        (80, "column     psi  (chance)  unseen  outside  empty  (before)"),
        (45, "column     psi  (chance)"),
    ):
        _, shown = terminal("predict", "--input", "points.csv", "--drift", "--output", "o.csv", COLUMNS=str(columns))
        lines = plain(shown)
        table = lines[next(i for i, line in enumerate(lines) if line.startswith("column ")) :][:3]
        assert table[0].startswith(header)
        assert table[0].endswith("drift")
        assert len({len(line) for line in table}) == 1 <= columns
        assert "psi is the population stability index, and (chance) its mean over 60 rows without drift" in " ".join(
            lines
        )


@posix
def test_narrow_terminals_fold_titles_and_values_between_words(points: Path, terminal: Terminal) -> None:
    assert terminal("train", "config.yaml", "-q")[0] == 0
    _, shown = terminal("evaluate", "runs/config-1", "-q", COLUMNS="45")
    assert "validation: true class (rows), predicted\nclass (columns)\n" in "\n".join(plain(shown))
    _, shown = terminal("info", "-q", COLUMNS="40")
    assert max(map(len, plain(shown))) <= 40


@posix
def test_check_folds_a_long_layer_over_several_lines(points: Path, terminal: Terminal, write: Write) -> None:
    layers = "layers: [residual: [" + "linear: 2, relu, dropout: 0.1, " * 3 + "linear: 2], linear: 1]"
    write("config.yaml", CONFIG.replace("layers: [linear: 1]", layers))
    for columns in (50, 80):
        lines = plain(terminal("check", "config.yaml", COLUMNS=str(columns))[1])
        table = lines[next(i for i, line in enumerate(lines) if line.startswith("layer ")) :]
        table = table[: table.index("")]
        assert max(map(len, table)) <= columns
        whole = " ".join(line[: table[0].index("shape of")].strip() for line in table)
        assert " -> ".join(["linear 2", "relu", "dropout 0.1"] * 3 + ["linear 2"]) in whole


@posix
def test_the_guide_leaves_the_last_column_of_a_terminal_empty(terminal: Terminal) -> None:
    for words in (["guide"], ["guide", "tables"]):
        _, shown = terminal(*words, PAGER="cat")
        assert max(map(len, plain(shown))) < 80


# Searches and components


def test_a_search_finds_beginnings_of_words_and_else_all_words() -> None:
    early = guide.search("early")
    assert early
    assert all(re.search(r"\bearly", hit.text, re.IGNORECASE) for hit in early)
    assert {hit.topic for hit in guide.search("decimal comma")} == {"tables"}
    apart = guide.search("rate learning")
    assert apart
    assert all("rate" in hit.text.lower() and "learning" in hit.text.lower() for hit in apart)
    assert guide.search("wibble rate") == []


def test_a_name_of_several_components_is_announced(inside: Nnfs) -> None:
    assert inside("components", "linear").stdout.startswith(
        "linear is the name of a layer, a schedule and a blended model\n\n\nlinear ("
    )
    assert inside("components", "relu").stdout.startswith("relu (layer)\n")
