# The whole study as one workflow; each stage has a file in rules/.
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from doppelgangers.workflow.config import load
from doppelgangers.errors import UserError
from doppelgangers.workflow.place import check_folders, check_interpreter
from doppelgangers.workflow.plan import check_licences, check_sources

min_version("9.0")


configfile: "config.yaml"


try:
    CONFIG = load(config)
    check_interpreter()
    check_sources(CONFIG)
    check_folders("results", "resources", "logs")
except UserError as error:
    raise WorkflowError(str(error))


include: "rules/common.smk"
include: "rules/synthesis.smk"
include: "rules/encoders.smk"
include: "rules/pretraining.smk"
include: "rules/datasets.smk"
include: "rules/evaluation.smk"
include: "rules/analysis.smk"


# Not for a dry run, which may be had without agreeing to anything.
onstart:
    check_licences(CONFIG)


rule all:
    default_target: True
    input:
        "results/table.csv",
        "results/figures/scores_by_delta.png",
        training_figure(),
        listening_page(),


localrules:
    all,
