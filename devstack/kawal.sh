#!/bin/sh
# The `kawal` command, put into .venv/bin by `make setup`: the tree's own Python, wherever it is called from.
here=$(dirname -- "$(readlink -f -- "$0")")
exec "$here/python" -c '
import sys

sys.path[0] = sys.argv.pop(1)
from cli import app

app(prog_name="kawal")
' "$here/../.." "$@"
