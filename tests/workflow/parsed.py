"""The workflow as Snakemake parses it, without running anything: what a job of each rule reads."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings, WorkflowSettings

from tests.conftest import ROOT


def parse(config: dict) -> dict:
    """Rule name -> rule of the workflow, with `config` merged over config.yaml."""
    with contextlib.chdir(ROOT), SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        settings = ConfigSettings(config=config, configfiles=[Path("config.yaml")])
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1), config_settings=settings, snakefile=ROOT / "Snakefile"
        )
        return {rule.name: rule for rule in workflow._workflow.rules}


@contextlib.contextmanager
def planned(config: dict, cache: bool = False) -> Iterator:
    """The workflow with the jobs that a run would do, with `config` merged over config.yaml."""
    with contextlib.chdir(ROOT), SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=config, configfiles=[Path("config.yaml")]),
            workflow_settings=WorkflowSettings(cache=[] if cache else None),
            snakefile=ROOT / "Snakefile",
        )
        with contextlib.redirect_stdout(io.StringIO()):
            workflow.dag(DAGSettings(targets={"all"}, forceall=True)).printrulegraph()
        yield workflow._workflow


def needs(rule, wildcards: dict[str, str]) -> dict:
    """What a job of a rule depends on: the params of the job, and the names of its inputs."""
    named = Wildcards(fromdict={name: wildcards[name] for name in rule.wildcard_names})
    params = {name: function(named) for name, function in rule.params._allitems()}
    inputs, *_ = rule.expand_input(named)
    return {**params, "inputs": sorted(os.fspath(file) for file in inputs)}
