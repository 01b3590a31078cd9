"""The parameters of estimators: their names, their defaults, and how messages about a config speak of them."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator

from nnfs_cli.api.settings import plain
from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.config.synonyms import setting_meant_by
from nnfs_cli.config.yaml import YamlError
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.errors import ConfigError
from nnfs_cli.system.wording import closest, listing, named

NAMES = {"class_weights": "class_weight", "seed": "random_state"}  # keys of a config that scikit-learn calls otherwise
DEFAULTS_WITH_LAYERS: dict[str, Any] = {
    "optimizer": "adam",
    "preprocessing": {
        "numbers": ("impute", "standardize"),
        "categories": {"one_hot": {"unseen": "other"}},
        "dates": "calendar",
    },
}
CONFIG_DEFAULTS: dict[str, Any] = {  # where the defaults of a config with layers differ
    "optimizer": "sgd",
    "split": {},
    "preprocessing": {"numbers": "standardize", "categories": None, "dates": None},
}
EPOCHS, STEPS = 100, 1_000  # a training makes at least so many of both, unless it is told how long to be
EXAMPLES = {"layers": 'layers=["linear: 16", "relu"]'}
_QUOTED = r"""(?<!\w)(?:'[^'\n]*'|"[^"\n]*")"""
_WORDS = {"true": "True", "false": "False", "nothing": "None"}


class NamedParameters(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The part of an estimator that says which parameter was meant by an unknown one."""

    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, **settings: Any) -> None:
        """Give the class the signature of its `__init__`, since Python up to 3.11.2 would take that of `__new__`."""
        super().__init_subclass__(**settings)
        _, *parameters = inspect.signature(cls.__init__).parameters.values()
        cls.__signature__ = inspect.Signature(parameters)

    def __new__(cls, *_: object, **parameters: object) -> Self:
        """Return a new estimator. Raises `TypeError` if it has no parameter of some name."""
        known = cls._get_param_names()
        if unknown := [name for name in parameters if name not in known]:
            hints = list(dict.fromkeys(filter(None, (_meant_by(name, known) for name in unknown))))
            hint = f"; did you mean {listing(hints)}?" if hints else ""
            noun = "parameter" if len(unknown) == 1 else "parameters"
            raise TypeError(f"{cls.__name__} has no {noun} {listing(map(named, unknown), 'or')}{hint}")
        made: Self = super().__new__(cls)
        return made


def _meant_by(name: str, known: list[str]) -> str:
    """Return the parameter that was probably meant by an unknown name, as it is written, or an empty string."""
    key, *path = (setting_meant_by(name, Config.model_fields) or "").split(".")
    key = NAMES.get(key, key)
    if key not in known:
        return closest(name, known) or ""
    return f'{key}={{"{path[0]}": ...}}' if path else EXAMPLES.get(key, key)


def epochs_for(n_rows: int, batch_size: object) -> int:
    """Return the default number of epochs: more than usual for a table with few batches."""
    if isinstance(batch_size, str):  # all rows in a batch, with an optimizer that the user has chosen
        return EPOCHS
    batch = batch_size if isinstance(batch_size, int) and batch_size > 0 else 32
    return max(EPOCHS, -(-STEPS // -(-n_rows // batch)))


def fill_preprocessing(given: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the setting `preprocessing` with defaults for the keys that are not given."""
    given = plain(given, "preprocessing")
    if isinstance(given, Preprocessing):
        given = {key: getattr(given, key) for key in given.model_fields_set}
    elif not isinstance(given, Mapping):
        given = {"numbers": given}
    return {**defaults, **given}


def with_config_defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a config with layers, with its defaults where those of estimators differ."""
    preprocessing = fill_preprocessing(settings.get("preprocessing", {}), CONFIG_DEFAULTS["preprocessing"])
    return {**CONFIG_DEFAULTS, **settings, "preprocessing": preprocessing}


def as_given(config: Config) -> dict[str, Any]:
    """Return settings that make the same training as a complete config, without what is a default anyway."""
    brief = config.model_dump(mode="json", exclude_defaults=True, exclude={"preset", "dataset"})
    return with_config_defaults({"epochs": config.epochs, **brief})


def early_stopping_as_key(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in which early stopping that is False is turned off. Raises `ConfigError` if it is True."""
    match settings.get("early_stopping"):
        case False:
            return {**settings, "early_stopping": None}
        case True:
            expected = "a number of logged epochs without improvement, as in early_stopping=10, or False"
            raise ConfigError(f"early_stopping: expected {expected}; found True")
    return {**settings}


@contextlib.contextmanager
def errors_in_python(names: Mapping[str, str] = NAMES) -> Iterator[None]:
    """Let a `ConfigError` speak of parameters and of values of Python; `names` are parameters by key of the config."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(in_python(str(error), names)) from error


def in_python(message: str, names: Mapping[str, str] = NAMES) -> str:
    """Return a message about a config in the words of Python.

    >>> in_python("seed: expected a whole number, as in {seed: 1}, found true")
    "random_state: expected a whole number, as in {'seed': 1}, found True"
    """
    message = re.sub(r"^\w+", lambda found: names.get(found[0], found[0]), message, flags=re.MULTILINE)
    message = re.sub(rf"{_QUOTED}|(?<!\.)\{{[^{{}}'\"]+: [^{{}}]+\}}", lambda found: _as_dict(found[0]), message)
    message = re.sub(r"\bas in (\w+: [^\s,;{}]+)$", r"as in '\1'", message, flags=re.MULTILINE)
    message = re.sub(r"(?<=\bexpected )\w+(?:, \w+)*(?: or \w+)?(?=, (?:found|or)\b)", _quoted_choices, message)
    message = re.sub(r"\bor full\b", "or 'full'", message)
    message = re.sub(r"\bfound (true|false|nothing)\b", lambda found: f"found {_WORDS[found[1]]}", message)
    return message.replace("a block of settings", "a dict")


def _as_dict(text: str) -> str:
    """Return a block of YAML as a dict; what is in quotes is the user's, and stays."""
    if not text.startswith("{"):
        return text
    try:
        return repr(yaml.read(text.encode())[0])
    except YamlError:
        return text


def _quoted_choices(found: re.Match[str]) -> str:
    """Return words such as "a, b or c" with each word as a value of Python."""
    return re.sub(r"(?!or\b)\b\w+", lambda word: _WORDS.get(word[0], repr(word[0])), found[0])
