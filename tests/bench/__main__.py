"""`python -m tests.bench`."""

from tests.bench.command import bench

bench()
