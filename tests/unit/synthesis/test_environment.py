"""What the environment says of JAX and Flax must not change a pair."""

import os
import subprocess
import sys

import flax
import jax
import numpy as np
import pytest

from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from doppelgangers.synthesis.synth import OPTIONS
from tests.conftest import ROOT

SCRIPT = """
import sys
import numpy as np
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
np.save(sys.argv[1], np.asarray(PairGenerator(PairRecipe("percussive", 0.25)).render(np.arange(8))))
"""

# Each of them, without our options, gives other sounds or ends the run with an error.
CHANGES = {
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_THREEFRY_PARTITIONABLE": "0",
    "JAX_RANDOM_SEED_OFFSET": "7",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_LEGACY_PRNG_KEY": "error",
    "JAX_TRANSFER_GUARD": "disallow",
    "JAX_ERROR_CHECKING_BEHAVIOR_NAN": "raise",
    "JAX_ERROR_CHECKING_BEHAVIOR_DIVIDE": "raise",
    "JAX_ERROR_CHECKING_BEHAVIOR_OOB": "raise",
    "JAX_SCAN3": "1",
    "FLAX_FIX_RNG_SEPARATOR": "1",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true --xla_backend_optimization_level=0 --xla_force_host_platform_device_count=2",
}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [CHANGES, {"JAX_DISABLE_JIT": "1"}], ids=["all at once", "without compiling"])
def test_the_environment_changes_no_sound(changes, tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "sounds.npy")]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **changes})
    expected = np.asarray(PairGenerator(PairRecipe("percussive", 0.25)).render(np.arange(8)))
    found = np.load(tmp_path / "sounds.npy")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_every_option_is_one_of_the_libraries_and_set():
    for name, setting in OPTIONS.items():
        values = jax.config.values if name.startswith("jax_") else flax.config._values
        assert getattr(values[name], "value", values[name]) == setting, name
