"""measure.py COMMAND...: runs it and prints its wall time, CPU and peak memory.

Its stderr stays where it is, so that progress shows on a terminal.
"""

import resource
import subprocess
import sys
import time

begin = time.monotonic()
status = subprocess.run(sys.argv[1:]).returncode
wall = time.monotonic() - begin
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{wall:.2f} s wall, {usage.ru_utime + usage.ru_stime:.2f} s CPU, "
      f"{usage.ru_maxrss / 1024:.0f} MB peak")
sys.exit(status)
