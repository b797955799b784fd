"""What sounds are like, synthetic beside real, the listening test, and all figures.

May use `datasets`, `synthesis` and `encoders`, and the modules of the package's root.
"""

import os

# matplotlib reads this when it is imported, and Jupyter leaves the name of a backend there that this environment may not have.
os.environ["MPLBACKEND"] = "Agg"
