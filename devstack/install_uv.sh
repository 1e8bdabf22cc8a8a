#!/bin/sh
# install_uv.sh FOLDER VERSION: puts uv into FOLDER/bin, by a virtual environment or else by the system's pip.
set -u
folder=$1
version=$2
python=$(sh "$(dirname "$0")/find_python.sh") || exit 1
mkdir -p "$folder" && chmod 700 "$(dirname "$folder")"
log=$folder/install.log
echo "Installing uv $version into $folder"

by_venv() {
    "$python" -m venv --clear "$folder/venv" && "$folder/venv/bin/python" -m pip install --quiet "uv==$version" &&
        bin=../venv/bin/uv
}

# Debian ships Python without ensurepip, on which venv stands; its pip may be there all the same.
by_pip() {
    "$python" -m pip install --quiet --upgrade --target "$folder/packages" "uv==$version" && bin=../packages/bin/uv
}

if by_venv >"$log" 2>&1 || by_pip >>"$log" 2>&1; then
    mkdir -p "$folder/bin" && ln -sf "$bin" "$folder/bin/uv"
    exit 0
fi
cat "$log" >&2
cat >&2 <<'TEXT'

uv could not be installed; above stands why. If Python has neither venv nor pip (Debian and Ubuntu leave them out):
    apt-get install python3-venv
then run make again.
TEXT
exit 1
