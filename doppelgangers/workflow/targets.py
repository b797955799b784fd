"""What a run asks for, and what is a reason to make it again; both before Snakemake plans.

Snakemake makes a missing file only where a job that has to run reads it. After a job has failed, its old output is gone, and so
is the record of what it was made with; what was made from that output, though, is there, and nothing would run: the next run
would end well, with an old table. So a run asks for those files too.

Snakemake also makes a file again where its script has a later time, for which a fresh clone or `touch` is enough, and where
another environment is named (conda, a container). Here neither is a reason: what a script says is in the params of its rule
(`workflow.digest`), and all environments have the versions of the lock; the record of each job has those that it met.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.iocontainers import Wildcards
from snakemake.settings.enums import RerunTrigger

from doppelgangers.datasets.records import LINKS


def prepare_planning(workflow: Any) -> None:
    """Make a run of this workflow ask for the missing parts of its targets too, and look at no times of scripts.

    Snakemake has no place for this: it learns its settings, those of any profile, after it has read the Snakefile, and then
    plans. So this steps in between; that the method is called so holds for the version in the lock, and a test would tell.
    """
    plan = workflow._prepare_dag

    def plan_with_missing_parts(*arguments: Any, **options: Any) -> None:
        settings = workflow.dag_settings
        settings.rerun_triggers = set(settings.rerun_triggers) - {RerunTrigger.CODE, RerunTrigger.SOFTWARE_ENV}
        if workflow.is_main_process:
            asked = list(settings.targets or [workflow.default_target])
            settings.targets = [*asked, *missing_parts(workflow.rules, asked)]
        plan(*arguments, **options)

    workflow._prepare_dag = plan_with_missing_parts


def missing_parts(rules: Iterable[Any], targets: Iterable[str]) -> list[str]:
    """Files that are gone though something that was made from them is there, and is a target or a part of one.

    Not so a fetched archive, which nobody needs once it is prepared.

    Args:
        rules: Snakemake's, of the whole workflow.
        targets: names of files and of rules.
    """
    rules = {rule.name: rule for rule in rules}
    found, seen, waiting = [], set(), []
    for target in targets:
        if target in rules:  # without wildcards, or Snakemake refuses it
            waiting += list(map(str, rules[target].output)) or inputs_of_job(rules[target], Wildcards())
        else:
            waiting.append(os.path.relpath(target))
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        rule = next((rule for rule in rules.values() if rule.is_producer(file)), None)
        if rule is None:  # the user's own
            continue
        parts = inputs_of_job(rule, Wildcards(fromdict=rule.get_wildcards(file)))
        waiting += parts
        if Path(file).exists():
            found += [part for part in parts if not Path(part).exists() and not part.startswith(LINKS)]
    return sorted(set(found))


def inputs_of_job(rule: Any, wildcards: Wildcards) -> list[str]:
    inputs, *_ = rule.expand_input(wildcards)
    return [str(file) for file in inputs]
