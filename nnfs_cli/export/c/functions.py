"""Which of the C functions a file contains, and in which order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nnfs_cli.export.c import axes_code, cells_code, numbers_code
from nnfs_cli.export.c.text import SHORT, TYPES
from nnfs_cli.pipeline.value import DType

TEMPLATES = {
    name.lower().replace("_whole", "_i64"): code.lstrip("\n")
    for module in (numbers_code, axes_code, cells_code)
    for name, code in vars(module).items()
    if name.isupper()
}
NEEDS = {
    "floor_divide": ["remainder"],
    "normal_quantile": ["ratio"],
    "largest": ["maximum"],
    "smallest": ["minimum"],
    "cumulative_max": ["maximum"],
    "softmax": ["largest", "sum"],
    "hash_bucket": ["hash_block"],
    "has_entries": ["blanks"],
}


@dataclass
class Functions:
    """The functions that a file contains, each after those that it calls, by name."""

    code: dict[str, str] = field(default_factory=dict)

    def use(self, name: str, dtype: DType | None = None) -> str:
        """Return the name of a function, for numbers of a type, and make the file contain it."""
        full = f"{name}_{SHORT[dtype]}" if dtype else name
        if full in self.code:
            return full
        for needed in NEEDS.get(name, ()):
            self.use(needed, dtype if "$S" in TEMPLATES[needed] else None)
        template = TEMPLATES.get(full) or TEMPLATES[name]
        self.code[full] = _filled(template, dtype) if dtype else template
        return full


def _filled(template: str, dtype: DType) -> str:
    floats = dtype in ("float32", "float64")
    code = re.sub(r"\$NAN\(((?:[^()]|\[[^]]*\])*)\)", r"(isnan(\1) != 0)" if floats else "false", template)
    marks = {"$T": TYPES[dtype], "$S": SHORT[dtype], "$F": "f" if dtype == "float32" else ""}
    marks["$A"] = "double" if floats else "int64_t"
    for mark, text in marks.items():
        code = code.replace(mark, text)
    return code
