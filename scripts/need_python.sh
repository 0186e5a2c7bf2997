# Say in a sentence what is missing before anything is set up: need_python.sh PYTHON
if ! command -v "$1" > /dev/null; then
  echo "stepnb needs Python 3.11 or newer, and '$1' was not found. Install it, or name yours: make PYTHON=/path/to/python3" >&2
  exit 1
fi
if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "stepnb needs Python 3.11 or newer; '$1' is $("$1" --version 2>&1). Name a newer one: make PYTHON=/path/to/python3" >&2
  exit 1
fi
if ! "$1" -c 'import venv, ensurepip' 2> /dev/null; then
  echo "'$1' cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2
  exit 1
fi
