# Say in a sentence what is missing before anything is set up.
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
  echo "stepnb's panel is built with Node.js 20 or newer and npm, and 'node' or 'npm' was not found. Install both." >&2
  exit 1
fi
if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)'; then
  echo "stepnb's panel is built with Node.js 20 or newer; yours is $(node --version). Install a newer one." >&2
  exit 1
fi
