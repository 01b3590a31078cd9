"""``python -m nnfs_cli`` is the same as ``nnfs``."""

from nnfs_cli.cli import main

if __name__ == "__main__":
    main()
