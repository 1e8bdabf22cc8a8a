#!/bin/sh
# Prints the path of a Python that is new enough, or says what to install.
for name in python3 python3.14 python3.13 python3.12 python3.11; do
    path=$(command -v "$name" 2>/dev/null) || continue
    if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        "$path" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done
echo "Kawal needs Python 3.11 or newer and found none. On Debian or Ubuntu: apt-get install python3 python3-venv" >&2
exit 1
