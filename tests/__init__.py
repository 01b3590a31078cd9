"""The tests; each folder tests the package of the same name."""

import os
import sys

if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    # Each worker of pytest gets its share of the cores. More threads than cores spend most of the time waiting for each
    # other: a test of ensembles took 33 s of CPU with two threads and 2 s with one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads of scikit-learn and PyTorch sleep while they wait

# Containers often forbid Python to keep what it compiles. Then every process that a test starts compiles the package
# anew, which takes a third of the time of a short training.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
