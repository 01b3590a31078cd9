"""The tests; each folder tests the package of the same name."""

import os

# Threads of OpenMP (scikit-learn's boosting, PyTorch) sleep while they wait; else two workers of pytest on two cores
# spend most of their time waiting for each other. Results do not depend on it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
