"""A session in `jupyter console`, as someone types it; prints OK where all went as it should."""

import os
import sys
import time

import pexpect

command = os.path.join(os.path.dirname(sys.executable), "jupyter-console")
console = pexpect.spawn(
    command, ["--kernel", "tslens"], encoding="utf8", timeout=60, env={**os.environ, "TERM": "dumb"}, dimensions=(50, 120)
)
# The console may show its prompt before the last output.
console.delaybeforesend = 1


def run(line, *wanted):
    console.sendline(line)
    for pattern in wanted:
        console.expect(pattern)


console.expect(r"In \[1\]: ")
run("const six: number = 6; six * 7", r"(?<!\d)42\r")
for line in ["function double(x: number) {", "  return 2 * x;", "}"]:
    console.sendline(line)
run("double(six)", r"(?<!\d)12\r")
run("throw new RangeError('boom')", "RangeError: boom", r"cell-\d+\.ts:1:7")
run("%lsmagic", "%lens <text>")
run("while (true);")
time.sleep(2)
console.sendintr()
console.expect("KeyboardInterrupt")
run("six + 1", r"(?<!\d)7\r")
run("exit", pexpect.EOF)
console.close()
assert console.exitstatus == 0, console.exitstatus
print("OK")
