"""``python -m tools.benchmarks.weighed MODULE WORDS`` runs ``python -m MODULE WORDS`` and weighs it.

Prints seconds and peak bytes as JSON, after what the module prints.
"""

import json
import runpy
import sys
import time

from kit.memory import peak_memory

if __name__ == "__main__":
    del sys.argv[0]
    began = time.perf_counter()
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code and "check" not in sys.argv[1:2]:  # which exits with 1 if it has findings
            raise
    print(json.dumps({"seconds": time.perf_counter() - began, "peak": peak_memory()}))
