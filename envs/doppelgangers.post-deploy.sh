#!/bin/sh
# Written from requirements.lock by `make lock`; Snakemake runs it in the new environment. Of aisfx only the weights are used;
# what its code asks for does not go with the rest.
pip install --no-deps aisfx==0.1.2
