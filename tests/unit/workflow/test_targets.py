"""What a run takes for a reason to make something again."""

import types

import pytest
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import DAGSettings

from doppelgangers.workflow.targets import prepare_planning


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (None, {"MTIME", "INPUT", "PARAMS"}),
        ({RerunTrigger.MTIME, RerunTrigger.CODE}, {"MTIME"}),
        ({RerunTrigger.PARAMS}, {"PARAMS"}),
    ],
)
def test_neither_times_of_scripts_nor_environments_are_a_reason_whatever_is_asked_for(asked, kept):
    planned = []
    settings = DAGSettings(rerun_triggers=asked) if asked else DAGSettings()
    workflow = types.SimpleNamespace(dag_settings=settings, is_main_process=False)
    workflow._prepare_dag = lambda **options: planned.append((options, {trigger.name for trigger in settings.rerun_triggers}))
    prepare_planning(workflow)
    workflow._prepare_dag(forceall=False)
    assert planned == [({"forceall": False}, kept)]
