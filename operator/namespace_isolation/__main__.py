"""`python -m namespace_isolation` is `nsiso`."""

from __future__ import annotations

from namespace_isolation.cli.main import main

if __name__ == "__main__":
    main(prog_name="nsiso")
