#!/bin/sh
# Collects the licences of what is linked into the binary, Go's own library among
# them, in the directory that is named: DIRECTORY/MODULE@VERSION/… Run it with the
# GOOS, GOARCH and CGO_ENABLED of the build. A module without a licence is an error.
set -eu
out=${1:?the directory to write to}

packages=$(go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}|{{.Dir}}|{{$.Dir}}{{end}}{{end}}' ./cmd/outrigger)

copy() { # from one directory to another
	for file in "$1"/LICEN[CS]E* "$1"/COPYING* "$1"/NOTICE* "$1"/PATENTS*; do
		if [ -f "$file" ]; then
			mkdir -p "$2"
			cp "$file" "$2/"
		fi
	done
}

copy "$(go env GOROOT)" "$out/go@$(go env GOVERSION)"
for package in $packages; do
	module=${package%%|*}
	root=${package#*|} root=${root%|*}
	directory=${package##*|}
	# A directory on the way to a package may have a licence of its own.
	while copy "$directory" "$out/$module${directory#"$root"}" && [ "$directory" != "$root" ]; do
		directory=$(dirname "$directory")
	done
	if ! ls "$out/$module"/[LC]* >/dev/null 2>&1; then
		echo "no licence found in $module" >&2
		exit 1
	fi
done
