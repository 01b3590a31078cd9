"""A command reads tables without importing pandas, which pyarrow would do."""

import subprocess
import sys

import pytest

pytest.importorskip("pandas")

PROGRAM = """
import sys
from nnfs_cli.system.without_pandas import begin_command, leave_pandas_out
if "command" in sys.argv:
    begin_command()
leave_pandas_out()
import pyarrow as pa
pa.scalar(1)
print("pandas" in sys.modules)
print(pa.array([1, 2]).to_pandas().tolist())
import pandas as pd
print(pa.array(pd.Series([1.5, None])).null_count)
"""


@pytest.mark.parametrize("word", ["command", "program"])
def test_only_a_command_leaves_pandas_out_and_what_needs_pandas_still_works(word: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == [str(word != "command"), "[1, 2]", "1", ""]
