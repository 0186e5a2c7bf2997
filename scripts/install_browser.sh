# Install what the browser tests need: install_browser.sh BIN
# As root on a Debian-like system everything by apt-get; else Playwright's own Chromium, and the tests that need
# Firefox, a sound server or a speaker are skipped, each by name, where these are missing.
set -eu
packages="chromium firefox-esr pulseaudio pulseaudio-utils espeak-ng libportaudio2 libasound2-plugins fonts-dejavu-core fonts-noto-cjk"

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  # shellcheck disable=SC2086
  if ! dpkg-query --show --showformat '${db:Status-Status}\n' $packages 2>&1 | grep --invert-match --quiet '^installed$'; then
    exit 0
  fi
  apt-get update --quiet --quiet
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends $packages
elif [ ! -x /usr/bin/chromium ] && ! "$1/playwright" install chromium; then
  echo "Chromium could not be downloaded: the browser tests will be skipped." >&2
fi
