"""World Models as an experiment framework: V sees, M dreams, C acts.

Importing the package imports nothing heavy: `wmframe --help` must answer before torch could load.
"""

__version__ = "0.1.0"
