"""Judges one answer, from stdin, in a process of its own: `python -m smolml.learning NAME en`."""

import json
import sys

from smolml.learning import exercises, judge

name, language = sys.argv[1:]
answer = sys.stdin.buffer.read().decode("utf-8", "replace")
sys.stdout.write("\n" + json.dumps(judge(answer, exercises()[name], language)) + "\n")
