# The whole study as one workflow; each stage has a file in rules/.
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from doppelgangers.config import check_folders, check_sources, load
from doppelgangers.errors import UserError

min_version("9.0")


configfile: "config.yaml"


try:
    CONFIG = load(config)
    check_sources(CONFIG)
    check_folders("results", "resources", "logs")
except UserError as error:
    raise WorkflowError(str(error))


include: "rules/common.smk"
include: "rules/pairs.smk"
include: "rules/encoder.smk"
include: "rules/datasets.smk"
include: "rules/features.smk"
include: "rules/probes.smk"
include: "rules/results.smk"


rule all:
    default_target: True
    input:
        "results/table.csv",
        "results/figures/scores_by_delta.png",
        listening_page(),


localrules:
    all,
