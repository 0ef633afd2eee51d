"""examples/data_parallel.py on a Dask cluster: the same losses, also if a worker is killed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster

from examples.data_parallel import dask, here
from tests.examples.sharded import dies_once, losses


@pytest.mark.filterwarnings("ignore")  # of Dask's own, when a worker is gone
def test_one_two_and_four_workers_and_each_time_one_is_killed(tmp_path: Path) -> None:
    expected = losses(here, count=4)
    started = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)
    with started as cluster, Client(cluster) as client:
        for workers in (1, 2, 4):
            cluster.scale(workers)
            client.wait_for_workers(workers)
            fragile = partial(dies_once, tmp_path / str(workers), os.getpid())
            with dask(0, cluster.scheduler_address) as engine:
                np.testing.assert_allclose(losses(engine, fragile, count=4), expected, rtol=1e-12)
            assert (tmp_path / str(workers)).exists()
