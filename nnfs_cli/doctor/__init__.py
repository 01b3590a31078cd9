"""What is wrong with a training, before it starts or after it has ended: measured, explained, and with a remedy.

Read `diagnosis` first, then `examine_config` (before training) and `examine_run` (after it). Each check is a function
in a file of its own, in `before/` or `after/`: it yields diagnoses, and says nothing when it does not know.
"""

from nnfs_cli.doctor.diagnosis import Diagnosis, Examination
from nnfs_cli.doctor.examine_config import examine_config
from nnfs_cli.doctor.examine_run import examine_run

__all__ = ["Diagnosis", "Examination", "examine_config", "examine_run"]
