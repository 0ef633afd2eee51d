"""examples/data_parallel.py on a Dask cluster: the same losses, also if a worker is killed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from examples.data_parallel import dask, here
from tests.examples.sharded import dies_once, losses


@pytest.mark.filterwarnings("ignore")  # of Dask's own, when a worker is gone
def test_a_cluster_of_which_one_is_killed(tmp_path: Path) -> None:
    fragile = partial(dies_once, tmp_path / "died", os.getpid())
    started = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with started as cluster, dask(0, cluster.scheduler_address) as engine:
        np.testing.assert_allclose(losses(engine, fragile), losses(here), rtol=1e-12)
    assert (tmp_path / "died").exists()
