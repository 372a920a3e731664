#!/usr/bin/env bash
# Installs the Debian packages that the tests need and this machine lacks: for `make deps`
# and CI. What is there already, from wherever, stays. Go is not among it, nor is promtool: its
# package starts a server, so test/prepare.sh unpacks it instead.
set -euo pipefail
python=${PYTHON:-python3} npm=${NPM:-npm} mvn=${MVN:-mvn}
packages=()

# need PACKAGES COMMAND... adds the packages unless the command works.
need() {
	if ! "${@:2}" >/dev/null 2>&1; then
		local names
		read -ra names <<<"$1"
		packages+=("${names[@]}")
	fi
}

need "gcc libc6-dev" sh -c 'echo "int main(void) { return 0; }" | "$(go env CC)" -include stdlib.h -pthread -x c - -o /dev/null'
need "python3 python3-venv" "$python" -c 'import ensurepip'
need "nodejs" node --version
need "npm" "$npm" --version
need "default-jdk-headless" javac --version
need "maven" "$mvn" --version
# redis-tools has the server too, under another name, and starts no service.
need "redis-tools" sh -c 'command -v redis-server || command -v redis-check-rdb'
need "chromium fonts-dejavu-core" sh -c 'command -v chromium || command -v chromium-browser || command -v google-chrome'
need "iproute2 nftables" sh -c 'command -v ip && command -v tc && command -v nft'
# So has valkey-tools. Debian 12 has it in its backports alone: without those, prepare.sh
# fetches it from there.
need "valkey-tools" sh -c 'command -v valkey-server || command -v valkey-check-rdb'
[ ${#packages[@]} -gt 0 ] || exit 0
apt-get update -q
if [ "${packages[-1]}" = valkey-tools ] && ! apt-cache show valkey-tools >/dev/null 2>&1; then
	echo "NOT HERE: valkey-tools, which this release does not have"
	unset 'packages[-1]'
	[ ${#packages[@]} -gt 0 ] || exit 0
fi
echo "installing ${packages[*]}"
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"
