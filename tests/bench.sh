#!/usr/bin/env bash
# Prints the figures that clusterctl promises, measured here. Builds a release binary first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
cargo build --release --locked --package clusterctl
clusterctl=$target/release/clusterctl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

row() { printf '%-34s %-14s %s\n' "$1" "$2" "$3"; }

# Runs a command N times; prints the median of its wall times in ms, and its peak memory in MiB.
measure() {
	python3 - "$@" <<-'END'
		import resource, statistics, subprocess, sys, time
		times = []
		for _ in range(int(sys.argv[1])):
		    start = time.perf_counter()
		    subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, check=True)
		    times.append((time.perf_counter() - start) * 1000)
		print(f"{statistics.median(times):.1f} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f}")
	END
}

# 100 hosts with 100 workers each, less the cluster's own four nodes.
{
	printf 'cluster: bench\nzeek: { version: "8.0" }\nhosts:\n'
	for i in $(seq 100); do printf '  h%s: { address: 10.0.%s.1 }\n' "$i" "$i"; done
	printf 'nodes:\n  manager: { type: manager, host: h1 }\n  logger: { type: logger, host: h1, count: 2 }\n'
	printf '  proxy: { type: proxy, host: h1, count: 1 }\n  worker:\n    type: worker\n    interface: eth1\n    count: 100\n    hosts:\n'
	printf '      h1: { count: 96 }\n'
	for i in $(seq 2 100); do printf '      h%s: {}\n' "$i"; done
} >"$work/cluster.yaml"

row FIGURE MEASURED PROMISED
read -r ms _ < <(measure 30 "$clusterctl" --version)
row "start to --version" "$ms ms" "10 ms"
read -r ms mib < <(measure 10 "$clusterctl" -f "$work/cluster.yaml" layout)
row "layout of 10,000 nodes, time" "$ms ms" "100 ms"
row "layout of 10,000 nodes, memory" "$mib MiB" "100 MiB"
