"""`nnfs components`: lists and pages, generated from the declarations of the components."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from nnfs_cli.cli import app
from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.components.section import Section
from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.split import Split
from nnfs_cli.nn.initializers import Constant, Normal
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.prelu import PReLU
from nnfs_cli.system.wording import plural

Show = Callable[..., str]

HEADINGS = [
    "layers", "initializers", "losses", "optimizers", "schedules", "averaging", "callbacks", "metrics",
    "datasets", "parsers", "preprocessing steps", "blended models", "distributions", "presets", "trackers",
]  # fmt: skip
LINEAR = """\
setting    default         allowed                     what it is
units      required        a whole number, at least 1  Number of outputs.
bias       true            true or false               Add a bias b if true.
init       uniform_fan_in  an initializer              Initializer of the weights W.
"""


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    """What the command prints, folded to a width if one is given."""

    def run(*words: str, columns: int = 10_000) -> str:
        monkeypatch.setattr("nnfs_cli.cli.components._width", lambda piped=0: columns)
        done = CliRunner().invoke(app, ["components", *words])
        assert done.exit_code == 0, done.stderr
        return done.stdout

    return run


def test_every_family_is_listed_in_order_with_all_its_components() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nnfs_cli", "components"], capture_output=True, encoding="utf-8", check=True
    )
    lists = [block.splitlines() for block in done.stdout.split("\n\n")]
    assert [heading for heading, *_ in lists] == HEADINGS
    for heading, *rows in lists:
        (family,) = [family for name, family in Component.families.items() if plural(name) == heading]
        assert [row.split()[0] for row in rows] == sorted(family.registered)


@pytest.mark.parametrize("word", ["losses", "loss", "preprocessing", "preprocessing steps", "averaging"])
def test_a_family_goes_by_one_name_and_by_several(word: str, show: Show) -> None:
    (heading,) = [heading for heading in HEADINGS if heading.startswith(word.split()[0])]
    assert show(word).splitlines()[0] == heading


def test_a_page_has_the_formula_the_source_the_settings_and_examples(show: Show) -> None:
    page = show("linear")
    names = "linear is the name of a layer, a schedule and a blended model"
    assert page.startswith(f"{names}\n\n\nlinear (layer)\n\nAffine map")
    assert "y = x W + b" in page
    assert "\nSource: Goodfellow" in page
    assert LINEAR in page
    assert "\nexamples\n  linear: 20\n" in page


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("prelu", "init     {constant: 0.25}  an initializer"),
        ("leaky_relu", "slope    0.01     a number, at least 0"),
        ("elu", "alpha    1.0      a number, above 0"),
        ("gelu", "form     exact    exact or tanh"),
        ("sequential", "layers   required  a list of layers"),
        ("dense", "activation  sigmoid         a layer"),
        ("csv", "target       required  a text or a list of texts"),
        ("csv", "delimiter    null      a character"),
        ("blobs", "classes  3        a whole number, at least 2 and at most 1000"),
        ("sgd", "momentum      0.0      a number, at least 0 and below 1"),
        ("split", "validation  0.2      a number, at least 0 and below 1, or a path"),
        ("config", "split           0.2          a number, at least 0 and below 1, or a path, or a block of settings"),
        ("split", "group       null     a text"),
        ("csv", "decimal      .         a character"),
        ("csv", "encoding     utf-8     a text"),
        ("csv", "null         []        a text or a list of texts"),
        ("impute", "by         median   median, mean or constant"),
        ("embedding", "size            null     a whole number, at least 1"),
        ("one_hot", "unseen          error    error or other"),
        ("clip", "high     0.99     a number, above 0 and at most 1"),
        ("calendar", "parts    null     a list of trend, year_cycle, month_cycle, week_cycle, day_cycle or weekend"),
        (
            "config",
            "preprocessing   standardize  a preprocessing step, a list of preprocessing steps or a block of settings",
        ),
        ("config", "memory_limit    null         an amount of memory, above 0"),
        ("preprocessing", "numbers     standardize  a preprocessing step or a list of preprocessing steps"),
        ("preprocessing", "categories  null         a preprocessing step"),
        ("preprocessing", "columns     {}           a block of settings"),
    ],
)
def test_a_setting_comes_with_its_default_and_what_is_allowed(name: str, row: str, show: Show) -> None:
    lines = show(name).splitlines()
    assert [line for line in lines if line.startswith(row)]


def test_components_of_one_name_are_all_shown(show: Show) -> None:
    page = show("mae")
    assert page.index("mae (loss)") < page.index("\n\n\nmae (metric)")


def first_line(section: type[Section]) -> str:
    return (inspect.getdoc(section) or "").splitlines()[0]


def test_a_block_that_is_named_like_a_family_stands_below_it(show: Show) -> None:
    steps, page = show("preprocessing").split("\n\n\n")
    assert steps + "\n" == show("preprocessing steps")
    assert page.startswith(f"preprocessing (settings)\n\n{first_line(Preprocessing)}\n")


def test_the_config_and_its_blocks_have_pages_too(show: Show) -> None:
    table = show("config").splitlines()[4:]
    assert [line.split()[0] for line in table] == ["setting", *Config.model_fields]
    assert show("split").startswith(f"split (settings)\n\n{first_line(Split)}\n")


@pytest.mark.parametrize("name", ["batch_norm", "csv", "cosine", "mae", "config", "layers", "calendar", "split"])
def test_a_page_folds_within_a_terminal(name: str, show: Show) -> None:
    whole, folded = show(name), show(name, columns=80)
    assert max(map(len, folded.splitlines())) <= 80
    assert sorted(whole.split()) == sorted(folded.split())


def test_folded_prose_keeps_the_lines_that_sentences_begin(show: Show) -> None:
    lines = show("leaky_relu", columns=40).splitlines()
    assert "Gradient: dx = dy where x > 0, else" in lines
    assert "Shapes: any; y as x." in lines


def test_the_readme_gets_tables(show: Show) -> None:
    lines = show("layers", "--markdown").splitlines()
    assert lines[:4] == ["## Layers", "", "| name | settings | what it is |", "|---|---|---|"]
    assert any(line.startswith("| `prelu` | `init: {constant: 0.25}` |") for line in lines)
    assert "| `epochs` | required | a whole number, at least 1 |" in show("config", "--markdown")


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("lineer", "did you mean 'linear'?"),
        ("optimisers", "did you mean 'optimizers'?"),
        ("earlystopping", "did you mean 'early_stopping'?"),
        ("zyx", "nnfs components lists them all"),
    ],
)
def test_an_unknown_name_gets_advice(word: str, advice: str) -> None:
    done = CliRunner().invoke(app, ["components", word])
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"there is no component '{word}'; {advice}" in done.stderr


def test_the_brief_form_of_a_component() -> None:
    assert Linear(units=3).brief() == {"linear": 3}
    assert Linear(units=3, bias=False).brief() == {"linear": {"units": 3, "bias": False}}
    assert PReLU().brief() == "prelu"
    assert PReLU(init=Constant(value=0.0)).brief() == {"prelu": {"init": {"constant": 0.0}}}
    assert Dense(units=2, activation=PReLU(init=Normal())).brief() == {
        "dense": {"units": 2, "activation": {"prelu": "normal"}}
    }


@pytest.mark.parametrize("family", list(Component.families.values()), ids=list(Component.families))
def test_the_brief_form_means_the_same(family: type[Component]) -> None:
    for example in (example for member in family.registered.values() for example in member.examples):
        component = family.resolve(yaml.read(example.encode())[0])
        assert family.resolve(component.brief()) == component


def test_a_description_is_the_text_below_a_setting() -> None:
    class Inner(Section):
        """One."""

        first: PositiveInt = 1
        """The first of them,
        over two lines."""
        second: PositiveInt = 2

    class Outer(Inner):
        first: PositiveInt = 3
        """Another one."""
        third: PositiveInt = 3

    assert Inner.descriptions()["first"] == "The first of them, over two lines."
    assert Outer.descriptions()["first"] == "Another one."
    assert Outer.descriptions().keys() == {"first"}
